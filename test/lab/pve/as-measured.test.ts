import { describe, it } from 'vitest';
import { asking, guestOf, told } from './asking.js';

const VM = '/nodes/pve1/qemu/900';
const AGENT = `${VM}/agent`;
const errorsOf = (body: Buffer) => (JSON.parse(body.toString('utf8')) as { errors?: unknown }).errors;
const machineOf = (lab: Parameters<typeof guestOf>[0]) => {
  const machine = lab.hosts.get('pbs01')?.machine;
  if (!machine) throw new Error('the lab has no pbs01');
  return machine;
};

describe('exec through PVE of the lab', () => {
  it.concurrent('of a missing program, a folder or a file that is not executable is 596 "Broken pipe" without a body, after 5.2 s', ({
    expect,
  }) =>
    asking({}, async ({ lab, caller }) => {
      machineOf(lab).writeFile('/root/plain', 'x');
      for (const command of ['/no/such', '/etc', '/root/plain']) {
        const asked = performance.now();
        expect(told(await caller.ask('POST', `${AGENT}/exec`, { command }))).toBe('596');
        expect(performance.now() - asked).toBeGreaterThan(5200 / lab.cluster.time.factor - 5);
      }
    }));

  it.concurrent('with anything beyond ASCII ends the channel until the agent is restarted', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const ping = async () => told(await caller.ask('POST', `${AGENT}/ping`));
      const said = await caller.ask(
        'POST',
        `${AGENT}/exec`,
        {},
        {
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify({ command: ['/bin/echo', 'größe'] }),
        },
      );
      expect(told(said)).toBe("500 VM 900 qga command 'guest-exec' failed - got timeout");
      expect(await ping()).toBe('500 QEMU guest agent is not running');
      machineOf(lab).restartAgent();
      await new Promise((resolve) => setTimeout(resolve, 100));
      expect((await caller.ask('POST', `${AGENT}/ping`)).status).toBe(200);
    }));

  it.concurrent('without a command is 400', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const { status, body } = await caller.ask('POST', `${AGENT}/exec`, { command: '' });
      expect([status, errorsOf(body)]).toEqual([400, { command: "type check ('array') failed" }]);
    }));

  for (const [pbs, pve, blocked, pid] of [
    ['3.4', '8.4', 'has been disabled', "Invalid parameter 'pid'"],
    ['4.2', '9.2', 'has been disabled: the command is not allowed', 'PID ld does not exist'],
  ] as const)
    it.concurrent(`is refused by the agent of PBS ${pbs} in its own words`, ({ expect }) =>
      asking({ pbs, pve }, async ({ lab, caller }) => {
        expect(told(await caller.ask('GET', `${AGENT}/exec-status`, { pid: '4711' }))).toBe(
          `500 Agent error: ${pid}`,
        );
        machineOf(lab).agent.execAllowed = false;
        const exec = async () => told(await caller.ask('POST', `${AGENT}/exec`, { command: '/bin/true' }));
        expect(await exec()).toBe(`500 Agent error: Command guest-exec ${blocked}`);
        Object.assign(machineOf(lab).agent, { execAllowed: true, frozen: true });
        // The newer one does not tell blocked from frozen.
        const frozen = pbs === '3.4' ? 'has been disabled: the agent is in frozen state' : blocked;
        expect(await exec()).toBe(`500 Agent error: Command guest-exec ${frozen}`);
      }));
});

describe('file-read and fsinfo through PVE of the lab', () => {
  it.concurrent('honour count and offset, and say when more is there; a count of 0 is 400', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      machineOf(lab).writeFile('/root/ten', '0123456789');
      const read = (part: Record<string, string>) =>
        caller.ask('GET', `${AGENT}/file-read`, { file: '/root/ten', ...part });
      expect((await read({})).data).toEqual({ content: '0123456789', 'bytes-read': 10 });
      expect((await read({ count: '4', offset: '3' })).data).toEqual({
        content: '3456',
        'bytes-read': 4,
        truncated: 1,
      });
      expect((await read({ count: '0' })).status).toBe(400);
    }));

  it.concurrent('say how much there is with what root alone may use', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const { data } = await caller.ask('GET', `${AGENT}/get-fsinfo`);
      const [first] = (data as { result: Record<string, unknown>[] }).result;
      expect(first).toHaveProperty('total-bytes-privileged');
    }));
});

describe('the config of a guest through PVE of the lab', () => {
  it.concurrent('takes no digest of more than 40 characters and no vmid that is not a number', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const long = await caller.ask('PUT', `${VM}/config`, { tags: 'pbs', digest: 'a'.repeat(41) });
      expect([long.status, errorsOf(long.body)]).toEqual([
        400,
        { digest: 'value may only be 40 characters long' },
      ]);
      const named = await caller.ask('GET', '/nodes/pve1/qemu/abc/config');
      expect([named.status, errorsOf(named.body)]).toEqual([
        400,
        { vmid: "type check ('integer') failed - got 'abc'" },
      ]);
    }));

  it.concurrent('is not changed without the privilege of the key, whatever else is wrong', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const stale = { digest: 'f'.repeat(40) };
      expect(told(await caller.ask('PUT', `${VM}/config`, { cores: '2', ...stale }))).toBe(
        '403 Permission check failed (/vms/900, VM.Config.CPU)',
      );
      lab.cluster.access.deny('/vms/900', 'VM.Config.Options');
      lab.cluster.access.grant('/vms/900', ['VM.Config.CPU']);
      for (const change of [{ tags: 'a' }, { description: 'x' }, { delete: 'tags' }])
        expect(told(await caller.ask('PUT', `${VM}/config`, { ...change, ...stale }))).toBe(
          '403 Permission check failed (/vms/900, VM.Config.Options)',
        );
    }));

  it.concurrent('has its cores as a number, and what is pending unless the current is wanted', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      guestOf(lab).pending = { agent: '0' };
      const config = async (params: Record<string, string>) =>
        (await caller.ask('GET', `${VM}/config`, params)).data;
      expect(await config({})).toMatchObject({ cores: 4, agent: '0' });
      expect(await config({ current: '1' })).toMatchObject({ cores: 4, agent: '1' });
      expect((await caller.ask('POST', `${AGENT}/ping`)).status).toBe(200);
    }));
});

describe('tags through PVE of the lab', () => {
  it.concurrent('that are in use are offered, and others are refused unless all are free', ({ expect }) =>
    asking({}, async ({ lab, caller }) => {
      const { cluster } = lab;
      const options = async () => (await caller.ask('GET', '/cluster/options')).data;
      expect(await options()).toMatchObject({ 'allowed-tags': ['pbs', 'prod'] });
      cluster.registeredTags = ['prod'];
      cluster.userTagAccess = { allow: 'list', list: ['ours'] };
      expect(await options()).toMatchObject({
        'allowed-tags': ['ours'],
        'user-tag-access': { 'user-allow': 'list', 'user-allow-list': ['ours'] },
      });
      const write = async (tags: string) => told(await caller.ask('PUT', `${VM}/config`, { tags }));
      expect(await write('pbs;mine')).toBe(
        "403 Permission check failed (/, Sys.Modify for modifying tag 'mine')",
      );
      expect(await write('pbs;ours')).toMatch(/^200/);
    }));
});

describe('other answers of PVE of the lab', () => {
  it.concurrent('read as measured: the runs of a schedule, an unknown path, a word that is not in its list', ({
    expect,
  }) =>
    asking({}, async ({ caller }) => {
      const { data } = await caller.ask('GET', '/cluster/jobs/schedule-analyze', {
        schedule: '2026-12-01 21:00',
        starttime: '1795642500',
      });
      const [run] = data as { utc: string }[];
      expect(run?.utc).toMatch(/^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d 2026$/);
      const unknown = await caller.ask('GET', '/foo');
      expect([unknown.status, JSON.parse(unknown.body.toString('utf8'))]).toEqual([
        501,
        { data: null, message: "Method 'GET /foo' not implemented" },
      ]);
      const wrong = await caller.ask('GET', '/cluster/resources', { type: 'pool' });
      expect(errorsOf(wrong.body)).toEqual({
        type: "value 'pool' does not have a value in the enumeration 'vm, storage, node, sdn'",
      });
    }));
});
