import { afterEach, describe, expect, it } from 'vitest';
import { connectPbs, connectPve } from '../../src/api/connect.js';
import { realClock } from '../../src/world.js';
import { deadAddress, options, type Reply, serve, type TestServer, WORLD } from './server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
async function server(...replies: Reply[]) {
  const started = await serve((_request, nth) => replies[Math.min(nth, replies.length) - 1] ?? 'cut');
  running.push(started);
  return started;
}
const VERSION = { body: { data: { version: '9.2.11', release: '9.2' } } };
const CONNECT_ERROR = { status: 400, body: 'client error (Connect)' };
const GUESTS = {
  body: { data: [{ id: 'qemu/100', type: 'qemu', vmid: 100, node: 'pve1', name: 'pbs', status: 'running' }] },
};

describe('what may be sent again', () => {
  it.each<[string, Reply]>([
    ['a broken connection', 'cut'],
    ['a root daemon that is down', CONNECT_ERROR],
    ['a proxy without its server', { status: 503, body: '' }],
  ])('a question is asked again after %s', async (_what, reply) => {
    const flaky = await server(reply, reply, VERSION);
    const pbs = connectPbs(options(flaky));
    await expect(pbs.version()).resolves.toMatchObject({ version: '9.2.11' });
    expect(flaky.received).toHaveLength(3);
    await pbs.close();
  });

  it.each<[string, Reply]>([
    ['a bad token', { status: 401, body: 'authentication failed' }],
    ['a refusal', { status: 400, body: 'no' }],
  ])('a question is not asked again after %s', async (_what, reply) => {
    const strict = await server(reply);
    const pbs = connectPbs(options(strict));
    await expect(pbs.version()).rejects.toBeDefined();
    expect(strict.received).toHaveLength(1);
    await pbs.close();
  });

  it('the state of a task is asked again after a passing refusal', async () => {
    const passing = await server(
      { status: 400, body: 'unable to read from control socket' },
      { body: { data: { status: 'stopped', exitstatus: 'OK' } } },
    );
    const pbs = connectPbs(options(passing));
    await expect(pbs.taskState('UPID:x')).resolves.toEqual({ running: false, exitStatus: 'OK' });
    await pbs.close();
  });

  it.each<[string, Reply, string]>([
    ['reboot', 'cut', 'outcome.unknown'],
    ['reboot', CONNECT_ERROR, 'pbs.daemon-down'],
    ['refreshPackages', 'cut', 'outcome.unknown'],
    ['refreshPackages', CONNECT_ERROR, 'pbs.daemon-down'],
  ])('%s is sent once, whatever comes (%j → %s)', async (method, reply, code) => {
    const bad = await server(reply);
    const pbs = connectPbs(options(bad));
    const call = method === 'reboot' ? pbs.reboot() : pbs.refreshPackages();
    await expect(call).rejects.toMatchObject({ code });
    expect(bad.received).toHaveLength(1);
    await pbs.close();
  });

  it('a write guarded by a digest is sent again where it did not arrive, not where its answer was lost', async () => {
    const away = await server(CONNECT_ERROR, { body: { data: null } });
    const pbs = connectPbs(options(away));
    await pbs.setMaintenance('store1', null, 'abc');
    expect(away.received).toHaveLength(2);
    await pbs.close();

    const lost = await server('cut', { body: { data: null } });
    const other = connectPbs(options(lost));
    await expect(other.setMaintenance('store1', null, 'abc')).rejects.toMatchObject({
      code: 'outcome.unknown',
    });
    expect(lost.received).toHaveLength(1);
    await other.close();
  });

  it('a command in a guest and the question for its result are sent once', async () => {
    const bad = await server(GUESTS, 'cut', 'cut');
    const pve = connectPve(options(bad));
    await expect(pve.agent.exec(100, ['true'])).rejects.toMatchObject({ code: 'outcome.unknown' });
    await expect(pve.agent.execStatus(100, 7)).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(bad.received.map(({ method, url }) => `${method} ${url}`)).toEqual([
      'GET /api2/json/cluster/resources?type=vm',
      'POST /api2/json/nodes/pve1/qemu/100/agent/exec',
      'GET /api2/json/nodes/pve1/qemu/100/agent/exec-status?pid=7',
    ]);
    await pve.close();
  });

  it('pauses pass on the clock that is handed in, longer each time, two seconds at most', async () => {
    const flaky = await server('cut');
    const pauses: number[] = [];
    const clock = {
      ...realClock,
      sleep: async (ms: number, signal?: AbortSignal) => {
        signal?.throwIfAborted();
        pauses.push(ms);
      },
    };
    const patience = { retries: 5, firstPauseMs: 250 };
    const pbs = connectPbs(options(flaky, { patience, world: { ...WORLD, clock, random: () => 0.5 } }));
    await expect(pbs.time()).rejects.toMatchObject({ code: 'net.unreachable' });
    expect(pauses).toEqual([375, 750, 1500, 2000, 2000]);
    expect(flaky.received).toHaveLength(6);
    await pbs.close();
  });

  it('a request ends with the limit of the clock that is handed in', async () => {
    const silent = await server('silent');
    const limits: number[] = [];
    const over = new AbortController();
    const timeout = (ms: number) => {
      limits.push(ms);
      return over.signal;
    };
    const pbs = connectPbs(options(silent, { world: { ...WORLD, clock: { ...realClock, timeout } } }));
    const asked = pbs.reboot();
    await expect.poll(() => silent.received.length).toBe(1);
    over.abort();
    await expect(asked).rejects.toMatchObject({
      code: 'outcome.unknown',
      message: expect.stringContaining('no answer within 2 s'),
    });
    expect(limits).toEqual([2000]);
    await pbs.close();
  });

  it('a probe asks once, over connections of its own', async () => {
    const bad = await server('cut');
    const pbs = connectPbs(options(bad));
    await expect(pbs.probe(500)).rejects.toMatchObject({ code: 'net.unreachable' });
    await expect.poll(() => bad.received.length).toBeLessThanOrEqual(2);
    const stop = AbortSignal.abort(new Error('stopped'));
    await expect(pbs.probe(500, stop)).rejects.toThrow('stopped');
    await pbs.close();
  });
});

describe('several endpoints', () => {
  it('the next one is asked, and stays the one to ask', async () => {
    const good = await server(VERSION);
    const pve = connectPve(options(good, { endpoints: [await deadAddress(), good.address] }));
    await expect(pve.version()).resolves.toEqual({ version: '9.2.11', major: 9 });
    await pve.version();
    expect(good.received).toHaveLength(2);
    await pve.close();
  });

  it('a write goes to the next one only if it was not sent', async () => {
    const good = await server({ body: { data: null } });
    const refusing = connectPve(options(good, { endpoints: [await deadAddress(), good.address] }));
    await refusing.setRegisteredTags(['a', 'b']);
    expect(good.received.map(({ body }) => body)).toEqual(['registered-tags=a%3Bb']);
    await refusing.close();

    const cutting = await server('cut');
    const tls = { fingerprints: [good.fingerprint, cutting.fingerprint] };
    const pve = connectPve(options(good, { endpoints: [cutting.address, good.address], tls }));
    await expect(pve.setRegisteredTags(['a'])).rejects.toMatchObject({ code: 'outcome.unknown' });
    expect(good.received).toHaveLength(1);
    await pve.close();
  });

  it('when none answers, all are named', async () => {
    const [first, second] = [await deadAddress(), await deadAddress()];
    const good = await server(VERSION);
    const pve = connectPve(options(good, { endpoints: [first, second] }));
    const error = await pve.version().catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'net.unreachable' });
    expect(error.message).toContain(first);
    expect(error.message).toContain(second);
    await pve.close();
  });
});
