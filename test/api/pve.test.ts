import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { ungarbled } from '../../src/api/agent.js';
import { connectPve } from '../../src/api/connect.js';
import { options, type Received, type Reply, serve, type TestServer } from './server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});

/** A cluster with guest 100 on pve1; `reply` answers everything else. */
async function pveWith(reply: (request: Received) => Reply, node = () => 'pve1') {
  const server = await serve((request) =>
    request.url.includes('/cluster/resources')
      ? {
          body: {
            data: [
              {
                type: 'qemu',
                vmid: 100,
                node: node(),
                name: 'pbs',
                status: 'running',
                tags: 'b;a',
                lock: 'backup',
              },
            ],
          },
        }
      : reply(request),
  );
  running.push(server);
  return { server, pve: connectPve(options(server, { tokenId: 'ctl@pve!patch' })) };
}
const died = (message: string): Reply => ({
  status: 500,
  reason: message,
  body: { data: null, message: `${message}\n` },
});

describe('the guest agent', () => {
  it.each`
    words                                                                                | code
    ${'No QEMU guest agent configured'}                                                  | ${'agent.disabled'}
    ${'VM 100 is not running'}                                                           | ${'agent.vm-stopped'}
    ${'QEMU guest agent is not running'}                                                 | ${'agent.not-running'}
    ${'Agent error: Command guest-exec has been disabled'}                               | ${'agent.blocked'}
    ${'Agent error: Command guest-exec has been disabled: the command is not allowed'}   | ${'agent.blocked'}
    ${'Agent error: Command guest-exec has been disabled: the agent is in frozen state'} | ${'agent.frozen'}
    ${"Agent error: Invalid parameter 'pid'"}                                            | ${'agent.unknown-pid'}
    ${'Agent error: PID ld does not exist'}                                              | ${'agent.unknown-pid'}
    ${"VM 100 qga command 'guest-exec' failed - got timeout"}                            | ${'agent.timeout'}
    ${"VM 100 qmp command 'guest-exec' failed - got timeout"}                            | ${'agent.timeout'}
    ${'Agent error: Failed to execute child process “x” (No such file or directory)'}    | ${'agent.failed'}
    ${"Agent error: failed to open file '/x' (mode: 'r'): No such file or directory"}    | ${'agent.failed'}
  `('"$words" → $code', async ({ words, code }) => {
    const { pve } = await pveWith(() => ({ status: 500, body: { data: null, message: `${words}\n` } }));
    await expect(pve.agent.exec(100, ['true'])).rejects.toMatchObject({ code });
    await pve.close();
  });

  it('a blocked command is told from frozen file systems by asking', async () => {
    const { pve } = await pveWith(({ url }) =>
      url.endsWith('fsfreeze-status')
        ? { body: { data: { result: 'frozen' } } }
        : died('Agent error: Command guest-exec has been disabled: the command is not allowed'),
    );
    await expect(pve.agent.exec(100, ['true'])).rejects.toMatchObject({ code: 'agent.frozen' });
    await pve.close();
  });

  it('a simple command may fail with status 200', async () => {
    const { pve } = await pveWith(() => ({
      body: {
        data: {
          result: { error: { class: 'CommandNotFound', desc: 'The command guest-x has not been found' } },
        },
      },
    }));
    await expect(pve.agent.ping(100)).rejects.toMatchObject({ code: 'agent.failed' });
    await expect(pve.agent.info(100)).rejects.toMatchObject({
      message: expect.stringContaining('has not been found'),
    });
    await pve.close();
  });

  it('ping is sent without a content type, exec as JSON with its arguments as they are', async () => {
    const { pve, server } = await pveWith(({ url }) => ({
      body: { data: url.endsWith('exec') ? { pid: '7' } : { result: {} } },
    }));
    await pve.agent.ping(100, 1000);
    expect(await pve.agent.exec(100, ['printf', '0', ''])).toBe(7);
    const [, ping, exec] = server.received;
    expect(ping?.headers['content-type']).toBeUndefined();
    expect(ping?.headers['content-length']).toBe('0');
    expect(exec?.headers['content-type']).toBe('application/json');
    expect(exec?.body).toBe('{"command":["printf","0",""]}');
    await pve.close();
  });

  it.each([
    [['mount', '/mnt/datastore/größe']],
    [['/bin/sh', '-c', 'printf "%s|" "$@"', "it's", '-x-ü%s\\n', '', '$HOME "€"']],
  ])('no byte beyond ASCII is sent in an exec, and the guest gets the same arguments: %j', async (command) => {
    const { pve, server } = await pveWith(() => ({ body: { data: { pid: 7 } } }));
    await pve.agent.exec(100, ['printf', '%s\n', ...command]);
    const body = server.received.at(-1)?.body ?? '';
    expect(body).toMatch(/^[\x20-\x7e]+$/);
    const [program = '', ...args] = JSON.parse(body).command;
    expect([program, args[0]]).toEqual(['/bin/sh', '-c']);
    expect(JSON.stringify(args)).not.toContain('\\\\u');
    const shown = execFileSync(program, args, { encoding: 'utf8' });
    expect(shown).toBe(command.map((word) => `${word}\n`).join(''));
    await pve.close();
  });

  it('output comes back as UTF-8, and a full buffer counts as truncated', async () => {
    const garbled = Buffer.from('Größe: 3 €\n').toString('latin1');
    const answers = [
      { exited: 0 },
      { exited: 1, exitcode: 3, 'out-data': garbled, 'out-truncated': 0 },
      { exited: 1, signal: 9 },
      { exited: 1, exitcode: 0, 'out-data': 'x'.repeat(16 * 1024 * 1024), 'out-truncated': false },
    ];
    const { pve } = await pveWith(() => ({ body: { data: answers.shift() } }));
    expect(await pve.agent.execStatus(100, 7)).toEqual({ exited: false });
    expect(await pve.agent.execStatus(100, 7)).toEqual({
      exited: true,
      exitCode: 3,
      signal: null,
      stdout: 'Größe: 3 €\n',
      stderr: '',
      truncated: false,
    });
    expect(await pve.agent.execStatus(100, 7)).toMatchObject({
      exited: true,
      exitCode: null,
      signal: 9,
      stdout: '',
    });
    expect(await pve.agent.execStatus(100, 7)).toMatchObject({ truncated: true });
    expect(ungarbled('already €')).toBe('already €');
    await pve.close();
  });

  it('the allowed commands are listed', async () => {
    const supported_commands = [
      { name: 'guest-exec', enabled: false, 'success-response': true },
      { name: 'guest-ping', enabled: true },
    ];
    const { pve } = await pveWith(() => ({
      body: { data: { result: { version: '10.0.3', supported_commands } } },
    }));
    const { version, commands } = await pve.agent.info(100);
    expect(version).toBe('10.0.3');
    expect([...commands]).toEqual([
      ['guest-exec', false],
      ['guest-ping', true],
    ]);
    await pve.close();
  });
});

describe('tags of a guest', () => {
  it.each`
    words                                                                         | code
    ${'checksum mismatch (file change by other user?)'}                           | ${'pve.modified'}
    ${'checksum missmatch (file change by other user?)'}                          | ${'pve.modified'}
    ${'detected modified configuration - file changed by other user? Try again.'} | ${'pve.modified'}
    ${'VM is locked (backup)'}                                                    | ${'pve.guest-locked'}
    ${'CT is locked (snapshot)'}                                                  | ${'pve.guest-locked'}
    ${"can't lock file '/var/lock/qemu-server/lock-100.conf' - got timeout"}      | ${'pve.guest-locked'}
    ${'something else'}                                                           | ${'api.refused'}
  `('"$words" → $code', async ({ words, code }) => {
    const { pve, server } = await pveWith(() => died(words));
    await expect(pve.setGuestTags(100, ['a', 'b'], 'abc')).rejects.toMatchObject({ code });
    expect(server.received.at(-1)).toMatchObject({ method: 'PUT', body: 'tags=a%3Bb&digest=abc' });
    await pve.close();
  });

  it('where only administrators may set tags, the hint is to allow it, and not to grant Sys.Modify', async () => {
    const words = "Permission check failed (/, Sys.Modify for modifying tag 'pbs-ctl-lock+pbs01+k3f9x2+1')";
    const { pve } = await pveWith(() => ({
      status: 403,
      reason: words,
      body: { data: null, message: `${words}\n` },
    }));
    const error = await pve.setGuestTags(100, ['a'], 'abc').catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'api.forbidden',
      message: expect.stringContaining('only administrators may set tags'),
      hint: expect.stringMatching(/\npvesh set \/cluster\/options --user-tag-access user-allow=free$/),
    });
    expect(JSON.stringify(error)).not.toContain('-privs');
    await pve.close();
  });

  it('the last tag is deleted, not emptied; without a digest nothing is sent', async () => {
    const { pve, server } = await pveWith(() => ({ body: { data: null } }));
    await pve.setGuestTags(100, [], 'abc');
    expect(server.received.at(-1)?.body).toBe('delete=tags&digest=abc');
    await expect(pve.setGuestTags(100, ['a'], '')).rejects.toThrow('digest');
    expect(server.received.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    await pve.close();
  });

  it('the config of the running VM is requested with current=1', async () => {
    const { pve } = await pveWith(({ url }) => ({
      body: { data: { digest: 'd', agent: url.endsWith('?current=1') ? '1' : '0' } },
    }));
    expect((await pve.guestConfig(100)).agentEnabled).toBe(false);
    expect((await pve.guestConfigInUse(100)).agentEnabled).toBe(true);
    await pve.close();
  });

  it.each<[string, Reply]>([
    ['is not there any more', died("Configuration file 'nodes/pve1/qemu-server/100.conf' does not exist")],
    ['is on a node that is away', { status: 595, reason: 'No route to host', body: '' }],
  ])('a guest that %s is looked up again', async (_what, reply) => {
    let node = 'pve1';
    const config = { digest: 'd', tags: ' ', agent: 'enabled=1,fstrim_cloned_disks=1', protection: '1' };
    const { pve, server } = await pveWith(
      ({ url }) => {
        if (url.includes('/nodes/pve2/')) return { body: { data: config } };
        node = 'pve2';
        return reply;
      },
      () => node,
    );
    expect(await pve.guestConfig(100)).toMatchObject({
      digest: 'd',
      display: null,
      serialPorts: [],
      tags: [],
      lock: null,
      agentEnabled: true,
      agentConfigured: true,
      protection: true,
    });
    expect(server.received.at(-1)?.url).toBe('/api2/json/nodes/pve2/qemu/100/config');
    await pve.close();
  });

  it('a guest that does not exist is said not to', async () => {
    const { pve } = await pveWith(() => 'cut');
    await expect(pve.guestConfig(999)).rejects.toMatchObject({ code: 'pve.no-guest' });
    expect(await pve.findGuest(999)).toBeNull();
    expect(await pve.findGuest(100)).toMatchObject({ tags: ['b', 'a'], lock: 'backup' });
    await pve.close();
  });
});

describe('PVE answers', () => {
  const answering = (data: unknown) => pveWith(() => ({ body: { data } }));

  it('backup jobs: off is 0 or blank, absent is on', async () => {
    const { pve } = await answering([
      {
        id: 'a',
        enabled: 1,
        schedule: 'daily',
        vmid: '100,101',
        storage: 'pbs1',
        'next-run': '5',
        'repeat-missed': 0,
      },
      { id: 'b', enabled: '', all: 1, exclude: '102', comment: '' },
      { id: 'c', pool: 'p' },
    ]);
    const jobs = await pve.backupJobs();
    expect(
      jobs.map(({ id, enabled, vmids, all, exclude, pool, nextRun }) => [
        id,
        enabled,
        vmids,
        all,
        exclude,
        pool,
        nextRun,
      ]),
    ).toEqual([
      ['a', true, [100, 101], false, [], null, 5],
      ['b', false, [], true, [102], null, null],
      ['c', true, [], false, [], 'p', null],
    ]);
    await pve.close();
  });

  it('running tasks of a node are requested by source and with a limit', async () => {
    const { pve, server } = await answering([
      {
        upid: 'UPID:a',
        node: 'pve1',
        type: 'vzdump',
        id: '',
        user: 'root@pam',
        starttime: 5,
        status: 'RUNNING',
      },
      {
        upid: 'UPID:b',
        node: 'pve1',
        type: 'vzdump',
        id: '',
        user: 'root@pam',
        starttime: '4',
        endtime: 6,
        status: 'OK',
      },
    ]);
    expect(await pve.runningTasks('pve1')).toMatchObject([{ upid: 'UPID:a', endedAt: null, status: null }]);
    expect(server.received[0]?.url).toBe('/api2/json/nodes/pve1/tasks?source=active&limit=1000');
    await pve.close();
  });

  it.each`
    manager                                                                                                                                                                                        | expected
    ${{ quorum: { quorate: '' } }}                                                                                                                                                                 | ${{ nodeStatus: {}, nodeRequest: {}, lrm: {} }}
    ${{ manager_status: { node_status: { pve2: 'maintenance' }, node_request: { pve2: { maintenance: 1 } } }, lrm_status: { pve2: { mode: 'maintenance', state: 'maintenance', timestamp: 7 } } }} | ${{ nodeStatus: { pve2: 'maintenance' }, nodeRequest: { pve2: { maintenance: true } }, lrm: { pve2: { mode: 'maintenance', state: 'maintenance', timestamp: 7 } } }}
  `('HA: $manager', async ({ manager, expected }) => {
    const { pve } = await pveWith(({ url }) => ({
      body: {
        data: url.endsWith('manager_status')
          ? manager
          : [{ type: 'quorum' }, { type: 'fencing', 'armed-state': 'disarmed' }],
      },
    }));
    expect(await pve.haManager()).toEqual({ ...expected, armed: 'disarmed' });
    await pve.close();
  });

  it('a node that is in no cluster is quorate', async () => {
    const { pve } = await answering([
      { type: 'node', id: 'node/pve1', name: 'pve1', nodeid: 0, local: 1, online: '1' },
    ]);
    expect(await pve.clusterStatus()).toMatchObject({
      quorate: true,
      nodes: [{ name: 'pve1', online: true, local: true, address: null }],
      online: ['pve1'],
    });
    await pve.close();
  });

  it('a privilege whose value is 0 is held', async () => {
    const { pve, server } = await answering({ '/vms/100': { 'VM.Audit': 1, 'VM.PowerMgmt': 0 } });
    expect([...(await pve.permissions('/vms/100')).keys()]).toEqual(['VM.Audit', 'VM.PowerMgmt']);
    expect((await pve.permissions('/storage')).size).toBe(0);
    expect(server.received[0]?.url).toBe('/api2/json/access/permissions?path=%2Fvms%2F100');
    await pve.close();
  });
});
