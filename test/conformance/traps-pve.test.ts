import { afterEach, describe, expect, it } from 'vitest';
import { ExecStatus } from '../../src/api/agent.js';
import { connectPve } from '../../src/api/connect.js';
import { ApiFault } from '../../src/api/failure.js';
import { agentFault } from '../../src/api/guest-agent.js';
import { neededOnPve } from '../../src/api/privileges.js';
import type { Pve } from '../../src/api/pve.js';
import { HaArmed, HaManagerStatus } from '../../src/api/pve-answers.js';
import { registeredTagStore } from '../../src/lock/store.js';
import { options, type Received, type Reply, serve, type TestServer } from '../api/server.js';
import { everyRequest } from './client-requests.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
/** A cluster of one node that answers like this; guest 900 is a VM on it. */
async function pveThat(
  reply: (request: Received, nth: number) => Reply,
): Promise<{ pve: Pve; server: TestServer }> {
  const server = await serve((request, nth) =>
    request.url.startsWith('/api2/json/cluster/resources')
      ? { body: { data: [{ vmid: 900, type: 'qemu', node: 'pve1', status: 'running' }] } }
      : reply(request, nth),
  );
  running.push(server);
  return { pve: connectPve(options(server, { tokenId: 'ctl@pve!patch' })), server };
}
const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: { code?: string; message: string; hint?: string }) => error,
  );
const tagWrite = (pve: Pve) => faultOf(pve.setGuestTags(900, ['a'], 'b'.repeat(40)));

describe('traps of the PVE API', () => {
  it('PVE 5: where the body is empty, the words are those of the status line', async () => {
    for (const [status, reason] of [
      [401, 'Authentication failed!'],
      [595, 'No route to host'],
      [596, 'Connection timed out'],
    ] as const) {
      const { pve } = await pveThat(() => ({ status, reason, body: '' }));
      expect(await faultOf(pve.nodeTime('pve1'))).toMatchObject({ message: expect.stringContaining(reason) });
      await pve.close();
    }
  });

  it('PVE 6: what is missing is told by words, since no 404 ever comes', async () => {
    for (const [status, message] of [
      [500, "Configuration file 'nodes/pve1/qemu-server/900.conf' does not exist\n"],
      [501, "Method 'GET /x' not implemented"],
    ] as const) {
      const { pve } = await pveThat(() => ({ status, body: { data: null, message } }));
      expect(await faultOf(pve.guestConfig(900))).toMatchObject({ code: 'api.missing' });
      await pve.close();
    }
  });

  it('PVE 7: 596 leaves the outcome of a write open, and it is not written twice', async () => {
    const { pve, server } = await pveThat(() => ({ status: 596, reason: 'Connection timed out', body: '' }));
    expect(await tagWrite(pve)).toMatchObject({ code: 'outcome.unknown' });
    expect(server.received.filter(({ method }) => method === 'PUT')).toHaveLength(1);
    await pve.close();
  });

  it('PVE 8: what changes something never goes over a connection that may just be closed', async () => {
    const { pve, server } = await pveThat(() => ({ body: { data: null } }));
    await pve.findGuest(900);
    const before = server.connections();
    await pve.setGuestTags(900, ['a'], 'b'.repeat(40));
    expect(server.connections()).toBe(before + 1);
    await pve.close();
  });

  it('PVE 9: a token that is refused is not tried again', async () => {
    const { pve, server } = await pveThat(() => ({
      status: 401,
      reason: 'Authentication failed!',
      body: '',
    }));
    expect(await faultOf(pve.clusterStatus())).toMatchObject({ code: 'api.unauthorized' });
    expect(server.received).toHaveLength(1);
    await pve.close();
  });

  it('PVE 10, PVE 11: the command that grants does so for user and token, with what it takes to see the guest', async () => {
    const { pve } = await pveThat(() => ({
      status: 403,
      body: { data: null, message: 'Permission check failed (/vms/900, VM.Config.Options)\n' },
    }));
    const { hint } = (await tagWrite(pve)) as { hint: string };
    expect(hint).toContain('"VM.Audit VM.Config.Options"');
    expect(hint).toContain("for who in '-user ctl@pve' '-token ctl@pve!patch'");
    await pve.close();
  });

  it('PVE 12: a privilege with the value 0 is held', async () => {
    const { pve } = await pveThat(() => ({ body: { data: { '/': { 'Sys.Audit': 0 } } } }));
    expect([...(await pve.permissions('/')).keys()]).toEqual(['Sys.Audit']);
    await pve.close();
  });

  it('PVE 13: from PVE 9 on VM.Monitor is not looked for, and is no substitute', () => {
    const wanted = (major: number) =>
      neededOnPve(major, { guests: [900], carrier: 900, registeredTags: false }).flatMap(
        ({ anyOf }) => anyOf,
      );
    expect(wanted(8)).toContain('VM.Monitor');
    expect(wanted(9)).not.toContain('VM.Monitor');
    expect(wanted(9)).toContain('VM.GuestAgent.Unrestricted');
  });

  it('PVE 14: in the registered tags a lock counts only once it was read back', async () => {
    let stored = ['other'];
    const { pve } = await pveThat(({ method }) => {
      // Another controller writes at the same moment, and last.
      if (method === 'PUT') stored = ['other', 'pbs-ctl-lock+theirs+a+1764003600'];
      return { body: { data: method === 'PUT' ? null : { 'registered-tags': stored } } };
    });
    const clock = { now: () => 0, timeout: AbortSignal.timeout, monotonic: () => 0, sleep: async () => {} };
    const store = registeredTagStore(pve, clock, 0);
    const seen = await store.read();
    expect(await faultOf(store.swap(seen, ['other', 'pbs-ctl-lock+mine+b+1764003600']))).toMatchObject({
      code: 'pve.modified',
    });
    await pve.close();
  });

  it.each([
    'checksum mismatch (file change by other user?)',
    'checksum missmatch (file change by other user?)',
    'detected modified configuration - file changed by other user? Try again.',
  ])('PVE 17: "%s" is a lost race for the tags', async (words) => {
    const { pve } = await pveThat(() => ({ status: 500, body: { data: null, message: `${words}\n` } }));
    expect(await tagWrite(pve)).toMatchObject({ code: 'pve.modified' });
    await pve.close();
  });

  it.each([
    ['PVE 18', 'VM is locked (backup)'],
    ['PVE 18', 'CT is locked (snapshot)'],
    ['PVE 19', "can't lock file '/var/lock/qemu-server/lock-900.conf' - got timeout"],
  ])('%s: "%s" is a guest whose tags cannot be written now, and no lost race', async (_, words) => {
    const { pve } = await pveThat(() => ({ status: 500, body: { data: null, message: `${words}\n` } }));
    expect(await tagWrite(pve)).toMatchObject({ code: 'pve.guest-locked' });
    await pve.close();
  });

  it('PVE 37: a simple agent command may fail with status 200', async () => {
    const { pve } = await pveThat(() => ({
      body: {
        data: {
          result: { error: { class: 'CommandNotFound', desc: 'The command get-osinfo has been disabled' } },
        },
      },
    }));
    expect(await faultOf(pve.agent.info(900))).toMatchObject({ code: 'agent.blocked' });
    await pve.close();
  });

  it('PVE 38, PVE 49: an agent that does not answer may be busy, or need a stop and start of the VM; both are said', async () => {
    const { pve } = await pveThat(() => ({
      status: 500,
      body: { message: 'QEMU guest agent is not running\n' },
    }));
    const { code, hint } = (await faultOf(pve.agent.ping(900))) as { code: string; hint: string };
    expect(code).toBe('agent.not-running');
    expect(hint).toMatch(/busy for a moment/);
    expect(hint).toMatch(/stop and start/);
    await pve.close();
  });

  it.each([
    'Agent error: PID ld does not exist',
    'Agent error: PID 4711 does not exist',
    "Agent error: Invalid parameter 'pid'",
  ])('PVE 42: "%s" is a process that the agent does not know', (words) => {
    const asked = { method: 'GET', path: '/x' };
    const fault = agentFault(
      900,
      'exec-status',
      new ApiFault('api.refused', 'x', asked, { status: 500, words }),
    );
    expect(fault).toMatchObject({ code: 'agent.unknown-pid' });
  });

  it('PVE 43, PVE 44: output that fills the buffer counts as truncated, and comes back as UTF-8', () => {
    const full = 'x'.repeat(16 * 1024 * 1024);
    const answer = {
      exited: 1,
      exitcode: 0,
      'out-data': full,
      'out-truncated': 0,
      'err-data': 'gr\u00c3\u00bcn',
    };
    expect(ExecStatus.parse(answer)).toMatchObject({ truncated: true, stderr: 'grün' });
  });

  it('PVE 48: neither a single storage nor the updates of a node are requested, which takes more than Audit', async () => {
    const asked = (await everyRequest({ pve: '9.2', pbs: '4.2' })).filter(({ product }) => product === 'pve');
    expect(asked.filter(({ path }) => /^\/storage\/|\/apt\/update$/.test(path))).toEqual([]);
  });

  it('PVE 51: the words in which HA tells its state are not read', () => {
    const said = (status: string) =>
      HaArmed.parse([{ id: 'fencing', type: 'fencing', node: 'pve1', status, 'armed-state': 'armed' }]);
    expect(said('armed, watchdog standby')).toBe(said('anything at all'));
  });

  it('PVE 52: a cluster that never used HA has no maps', () => {
    const empty = { nodeStatus: {}, nodeRequest: {}, lrm: {} };
    expect(HaManagerStatus.parse({ quorum: { quorate: '1' } })).toEqual(empty);
    expect(HaManagerStatus.parse({ manager_status: { timestamp: 0 }, lrm_status: null })).toEqual(empty);
  });
});
