import { afterEach, describe, expect, it } from 'vitest';
import { connectPbs, connectPve } from '../../src/api/connect.js';
import { Deadline } from '../../src/api/deadline.js';
import { errorDocument } from '../../src/fault.js';
import { realClock } from '../../src/world.js';
import {
  deadAddress,
  muteServer,
  options,
  type Reply,
  serve,
  type TestServer,
  TOKEN_SECRET,
} from './server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
async function server(reply: Parameters<typeof serve>[0]) {
  const started = await serve(reply);
  running.push(started);
  return started;
}
const pbsThat = async (reply: Reply, changes = {}) => connectPbs(options(await server(() => reply), changes));
const pveThat = async (reply: Reply) =>
  connectPve(options(await server(() => reply), { tokenId: 'ctl@pve!patch' }));
const thrownBy = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error) => error,
  );

describe('what PBS answers becomes a code', () => {
  it.each<[number, string, string, string]>([
    [401, 'authentication failed', 'api.unauthorized', 'the usual refusal'],
    [400, 'authentication failed\n', 'api.unauthorized', 'PBS 4.1.2 says it like this'],
    [403, 'permission check failed', 'api.forbidden', 'the endpoint asks for a privilege'],
    [400, "missing permissions 'Sys.Audit' on '/system/status'", 'api.forbidden', 'the handler asks for it'],
    [400, 'client error (Connect)', 'pbs.daemon-down', 'root daemon down, 4.x'],
    [
      400,
      'error trying to connect: tcp connect error: Connection refused (os error 111)',
      'pbs.daemon-down',
      '3.x',
    ],
    [400, 'client error (SendRequest)', 'pbs.daemon-down', 'root daemon died over a question'],
    [400, "no such datastore 'nope'", 'api.missing', 'said in words'],
    [404, "Path '/api2/json/foo' not found.", 'api.missing', 'unknown path'],
    [400, 'parameter verification failed - x', 'api.refused', 'everything else'],
    [503, '<html>Service Unavailable</html>', 'net.unreachable', 'a proxy in between'],
    [200, '<html>', 'api.unreadable', 'no JSON at all'],
    [200, '{"data":{"uptime":"soon"}}', 'api.unreadable', 'not what it should be'],
  ])('%i %s → %s (%s)', async (status, body, code) => {
    const pbs = await pbsThat({ status, body });
    const error = await thrownBy(pbs.nodeStatus());
    expect(error).toMatchObject({ code, method: 'GET', path: '/nodes/localhost/status', status });
    await pbs.close();
  });

  it('a refused privilege is named with its path and the command that grants it', async () => {
    const pbs = await pbsThat({ status: 403, body: 'permission check failed' });
    const error = await thrownBy(pbs.reboot());
    expect(error).toMatchObject({
      message: expect.stringContaining('Sys.PowerManagement on /system/status'),
    });
    expect(error.hint).toBe(
      `for id in 'ctl@pbs' 'ctl@pbs!patch'; do proxmox-backup-manager acl update /system/status Admin --auth-id "$id" --propagate false; done`,
    );
    await pbs.close();
  });

  it.each([
    ['invalid credentials', /^User and token are good, the secret is wrong\./],
    [
      'user account or token disabled or expired.',
      /^User or token does not exist, is disabled, or has expired/,
    ],
    ['authentication failed - invalid credentials', /the secret is wrong/],
    ['authentication failed', /^The secret is wrong, or user or token does not exist/],
  ])('the hint for a refused token goes as far as the server does: "%s"', async (body, hint) => {
    const pbs = await pbsThat({ status: 401, body });
    expect(await thrownBy(pbs.version())).toMatchObject({
      code: 'api.unauthorized',
      hint: expect.stringMatching(hint),
    });
    await pbs.close();
  });

  it('a field that cannot be read is named', async () => {
    const pbs = await pbsThat({ body: { data: { uptime: 'soon', 'current-kernel': {}, root: {} } } });
    const error = await thrownBy(pbs.nodeStatus());
    expect(error.message).toMatch(
      /GET \/nodes\/localhost\/status cannot be read: uptime: expected a number; current-kernel\.release: /,
    );
    await pbs.close();
  });

  it('a stale digest is pbs.modified', async () => {
    const words = 'detected modified configuration - file changed by other user? Try again.';
    const pbs = await pbsThat({ status: 400, body: words });
    await expect(pbs.setMaintenance('store1', null, 'abc')).rejects.toMatchObject({ code: 'pbs.modified' });
    await pbs.close();
  });
});

describe('what PVE answers becomes a code', () => {
  const said = (message: string, errors?: object) => ({
    data: null,
    message: `${message}\n`,
    ...(errors ? { errors } : {}),
  });
  it.each<[string, Reply, string, string]>([
    [
      'the reason phrase is all there is',
      { status: 401, reason: 'Authentication failed!', body: '' },
      'api.unauthorized',
      'Authentication failed!',
    ],
    [
      'a privilege',
      { status: 403, body: said('Permission check failed (/, Sys.Audit)') },
      'api.forbidden',
      'Sys.Audit on /',
    ],
    [
      'the target node is away',
      { status: 595, reason: 'No route to host', body: '' },
      'net.unreachable',
      'No route to host',
    ],
    [
      'the target node fell silent',
      { status: 596, reason: 'Connection timed out', body: '' },
      'net.unreachable',
      'timed out',
    ],
    [
      'parameters',
      {
        status: 400,
        reason: 'Parameter verification failed.',
        body: { data: null, errors: { upid: 'invalid format\n' } },
      },
      'api.refused',
      'Parameter verification failed. upid: invalid format',
    ],
    [
      'no such task',
      { status: 400, body: said('Parameter verification failed.', { upid: 'no such task' }) },
      'api.missing',
      'no such task',
    ],
    [
      'no such method',
      { status: 501, body: said("Method 'GET /foo' not implemented") },
      'api.missing',
      'not implemented',
    ],
    [
      'anything else',
      { status: 500, body: said('proxy loop detected') },
      'api.refused',
      'proxy loop detected',
    ],
  ])('%s', async (_what, reply, code, words) => {
    const pve = await pveThat(reply);
    expect(await thrownBy(pve.clusterStatus())).toMatchObject({
      code,
      message: expect.stringContaining(words),
    });
    await pve.close();
  });

  it.each([
    [595, 'No route to host', 'PVE could not connect to it: No route to host'],
    [596, 'Connection timed out', 'its answer was lost: Connection timed out'],
  ])('a node that does not answer (%i) is named, and not the address of the endpoint', async (status, reason, why) => {
    const pve = await pveThat({ status, reason, body: '' });
    const error = await thrownBy(pve.nodeTime('pve2'));
    expect(error).toMatchObject({ code: 'net.unreachable', exitCode: 75 });
    expect(error.message).toMatch(new RegExp(`^Node pve2 of PVE cluster "main" .* does not answer, ${why}$`));
    expect(error.hint).toBe('Check that node pve2 is up, on another node:\npvecm status');
    await pve.close();
  });

  it.each([
    "unable to open file '/etc/pve/nodes/pve1/qemu-server/900.conf.tmp.1234' - Permission denied",
    "cfs-lock 'file-datacenter_cfg' error: no quorum!",
  ])('no quorum is a reason to try later: %s', async (words) => {
    const pve = await pveThat({ status: 500, reason: words, body: said(words) });
    expect(await thrownBy(pve.setRegisteredTags(['x']))).toMatchObject({
      code: 'pve.no-quorum',
      exitCode: 75,
      message: expect.stringContaining('has no quorum and writes nothing'),
    });
    await pve.close();
  });

  it('of alternatives the grant takes the one that a run needs anyway', async () => {
    const any = ['VM.Config.Disk', 'VM.Config.CDROM', 'VM.Config.Options'].join('|');
    const pve = await pveThat({ status: 403, body: said(`Permission check failed (/vms/100, ${any})`) });
    const { hint } = await thrownBy(pve.clusterStatus());
    expect(hint).toContain('-privs "VM.Audit VM.Config.Options"');
    await pve.close();
  });

  it('the grant repeats what it takes to see the guest, for user and token', async () => {
    const pve = await pveThat({
      status: 403,
      body: said('Permission check failed (/vms/100, VM.GuestAgent.Audit|VM.GuestAgent.Unrestricted)'),
    });
    const error = await thrownBy(pve.clusterStatus());
    expect(error.message).toContain('lacks VM.GuestAgent.Audit or VM.GuestAgent.Unrestricted on /vms/100');
    expect(error.hint).toBe(
      `pveum role modify PbsCtlVM -append 1 -privs "VM.Audit VM.GuestAgent.Unrestricted" 2>/dev/null || pveum role add PbsCtlVM -privs "VM.Audit VM.GuestAgent.Unrestricted" && for who in '-user ctl@pve' '-token ctl@pve!patch'; do pveum acl modify /vms/100 $who -role PbsCtlVM; done`,
    );
    await pve.close();
  });
});

describe('what the wire does becomes a code', () => {
  it('no node of a cluster listens: the cluster and what is wrong are said once', async () => {
    const endpoints = [await deadAddress(), await deadAddress()];
    const all = options(await server(() => 'silent'), { endpoints, tokenId: 'ctl@pve!patch' });
    const pve = connectPve(all);
    const { message } = await thrownBy(pve.clusterStatus());
    expect(message).toBe(
      `No endpoint of PVE cluster "main" answers: ${endpoints.join(', ')}: connection refused`,
    );
    await pve.close();
  });

  it('nothing listens', async () => {
    const pbs = await pbsThat('silent', { endpoints: [await deadAddress()] });
    await expect(pbs.reboot()).rejects.toMatchObject({
      code: 'net.unreachable',
      exitCode: 75,
      message: expect.stringContaining('connection refused'),
    });
    await pbs.close();
  });

  it.each<[Reply, string]>([
    ['cut', 'outcome.unknown'],
    ['silent', 'outcome.unknown'],
    [{ status: 502, body: 'Bad Gateway' }, 'outcome.unknown'],
    [{ status: 400, body: 'client error (SendRequest)' }, 'outcome.unknown'],
    [{ status: 400, body: 'client error (Connect)' }, 'pbs.daemon-down'],
  ])('a write that meets %j → %s', async (reply, code) => {
    const pbs = await pbsThat(reply, { requestTimeoutMs: 300 });
    await expect(pbs.reboot()).rejects.toMatchObject({ code });
    await pbs.close();
  });

  it.each<[Reply, string]>([
    ['cut', 'net.unreachable'],
    ['silent', 'net.timeout'],
  ])('a question that meets %j → %s', async (reply, code) => {
    const pbs = await pbsThat(reply, { requestTimeoutMs: 200 });
    await expect(pbs.version()).rejects.toMatchObject({ code });
    await pbs.close();
  });

  it('the hint for silence names the setting only where it would help', async () => {
    const pbs = await pbsThat('silent', { requestTimeoutMs: 200 });
    expect(await thrownBy(pbs.version())).toMatchObject({
      hint: expect.stringMatching(/raise "requestTimeout"/),
    });
    // A connection of its own, and a limit that no setting changes.
    await expect(pbs.daemonAnswers(100)).rejects.toMatchObject({
      hint: expect.not.stringContaining('requestTimeout'),
    });
    await pbs.close();
  });

  it('a root daemon that hangs behind a proxy that answers is named, and not asked again', async () => {
    const asked: string[] = [];
    const half = await server(({ url }) => {
      asked.push(url);
      return url.includes('journal') ? 'silent' : { body: { data: { version: '4.2', release: '3' } } };
    });
    const pbs = connectPbs(options(half, { requestTimeoutMs: 200 }));
    const [, error] = await Promise.all([pbs.version(), thrownBy(pbs.daemonAnswers())]);
    expect(error).toMatchObject({
      code: 'pbs.daemon-down',
      message: expect.stringMatching(
        /root daemon hangs: no answer within 0\.2 s to GET \/nodes\/localhost\/journal/,
      ),
      hint: expect.stringContaining('systemctl restart proxmox-backup.service'),
    });
    expect(asked.filter((url) => url.includes('journal'))).toHaveLength(1);
    await pbs.close();
  });

  describe('with a deadline, as commands that only read have one', () => {
    it('silence is final, and what is asked when the time is over is not sent', async () => {
      const silent = await server(() => 'silent');
      const clock = { ...realClock, monotonic: () => now };
      let now = 0;
      const deadline = new Deadline(clock, 150);
      const pbs = connectPbs(options(silent, { requestTimeoutMs: 150, deadline }));
      expect(await thrownBy(pbs.updates())).toMatchObject({ code: 'net.timeout' });
      expect(silent.received).toHaveLength(1);
      now = 60_000;
      expect((await thrownBy(pbs.version())).message).toMatch(/^No time was left to send GET \/version/);
      expect(silent.received).toHaveLength(1);
      await pbs.close();
    });
  });

  describe('a host that takes connections and says nothing', () => {
    // Both come long before the limit for connecting, which is 10 s here.
    const patient = { requestTimeoutMs: 60_000 };

    it('a probe ends at its own limit', { timeout: 5000 }, async () => {
      const mute = await muteServer();
      const pbs = await pbsThat('silent', { ...patient, endpoints: [mute.address] });
      await expect(pbs.probe(100)).rejects.toMatchObject({
        code: 'net.unreachable',
        message: expect.stringContaining('no connection within 0.1 s'),
      });
      await pbs.close();
      mute.stop();
    });

    it('a probe that is called off ends at once', { timeout: 5000 }, async () => {
      const mute = await muteServer();
      const pbs = await pbsThat('silent', { ...patient, endpoints: [mute.address] });
      const calledOff = new AbortController();
      const probe = pbs.probe(50_000, calledOff.signal);
      setImmediate(() => calledOff.abort());
      await expect(probe).rejects.toMatchObject({ name: 'AbortError' });
      await pbs.close();
      mute.stop();
    });
  });

  it('an answer without end is given up at 32 MiB', async () => {
    const pbs = await pbsThat({ body: 'x'.repeat(33 * 1024 * 1024) }, { requestTimeoutMs: 20_000 });
    await expect(pbs.version()).rejects.toMatchObject({
      code: 'api.unreadable',
      message: expect.stringContaining('32 MiB'),
    });
    await pbs.close();
  });

  it('the secret stands in no error, even where the server echoes it', async () => {
    const echoing = await server(({ headers }) => ({
      status: 400,
      body: `bad header: ${headers.authorization}`,
    }));
    const pbs = connectPbs(options(echoing));
    const error = await thrownBy(pbs.version());
    expect(echoing.received[0]?.headers.authorization).toBe(`PBSAPIToken=ctl@pbs!patch:${TOKEN_SECRET}`);
    expect(JSON.stringify([errorDocument(error), error, error.stack])).not.toContain(TOKEN_SECRET);
    await pbs.close();
  });
});
