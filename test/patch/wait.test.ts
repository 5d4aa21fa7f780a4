import { describe, expect, it } from 'vitest';
import { ApiFault } from '../../src/api/failure.js';
import { Fault } from '../../src/fault.js';
import { Journal } from '../../src/journal/journal.js';
import type { Run } from '../../src/patch/run.js';
import { waitForBoot } from '../../src/patch/wait.js';

const OLD_BOOT = { bootTime: 1_000_000, bootId: 'old-boot' };

/** A clock on which waiting takes no time. */
function fastClock() {
  let now = 2_000_000_000;
  return {
    now: () => now,
    timeout: AbortSignal.timeout,
    monotonic: () => now,
    sleep: async (ms: number, signal?: AbortSignal) => {
      signal?.throwIfAborted();
      now += ms;
      await new Promise((resolve) => setImmediate(resolve));
    },
  };
}

interface World {
  /** What the host answers at a time in milliseconds since the request; null = silence. */
  readonly api: (ms: number) => { uptimeSeconds: number; epochSeconds: number } | null;
  readonly bootId: (ms: number) => string | null;
  readonly refuses?: Fault;
  readonly pollInterval?: number;
  /** Milliseconds that an answer takes. */
  readonly answerTakes?: number;
}

async function waitIn({ api, bootId, refuses, pollInterval = 2000, answerTakes = 0 }: World) {
  const clock = fastClock();
  const begun = clock.now();
  const since = () => clock.now() - begun;
  const silence = () =>
    Promise.reject(
      new ApiFault(
        'net.timeout',
        'no answer',
        { method: 'GET', path: '/' },
        {},
        { kind: 'passing', timedOut: true },
      ),
    );
  const pbs = {
    probe: async (limitMs: number) => {
      if (answerTakes > limitMs) return silence();
      if (refuses && since() > 5000) throw refuses;
      return api(since()) ?? silence();
    },
    daemonAnswers: async () => (api(since()) ? undefined : silence()),
  };
  const pve = {
    agent: { bootId: async () => bootId(since()) ?? silence() },
    guestStatus: async () => ({ status: 'running' }),
  };
  const journal = Journal.inMemory('k3f9x2', clock, {
    type: 'started',
    host: 'pbs01',
    mode: 'patch',
    owesReboot: false,
  });
  journal.append({
    type: 'upgraded',
    packages: { upgraded: [], installed: [], removed: [], held: [], keptBack: [] },
  });
  journal.append({ type: 'reboot-intended', boot: OLD_BOOT });
  const run = {
    host: {
      pbs,
      guest: { pve, vmid: 900, clock },
      target: { host: 'pbs01', policy: { rebootTimeout: 600_000, pollInterval, requestTimeout: 15_000 } },
    },
    journal,
    clock,
    reporter: { emit: () => {}, end: () => {} },
    interruption: { signal: new AbortController().signal, finish: () => {} },
  } as unknown as Run;
  return waitForBoot(run).then(
    () => ({ reboot: journal.state.reboot, code: null }),
    (error: unknown) => ({ reboot: journal.state.reboot, code: (error as Fault).code }),
  );
}

const oldBoot = (ms: number) => ({
  epochSeconds: 2_000_000 + ms / 1000,
  uptimeSeconds: 1_000_000 + ms / 1000,
});
const newBoot = (ms: number, bootedMs: number) => ({
  epochSeconds: 2_000_000 + ms / 1000,
  uptimeSeconds: (ms - bootedMs) / 1000,
});

describe('the wait for a boot', () => {
  it('ends when another boot id and the API answer', async () => {
    const { reboot, code } = await waitIn({
      api: (ms) => (ms < 3000 ? oldBoot(ms) : ms < 30_000 ? null : newBoot(ms, 20_000)),
      bootId: (ms) => (ms < 3000 ? 'old-boot' : ms < 25_000 ? null : 'new-boot'),
    });
    expect(code).toBeNull();
    expect(reboot?.upAt).not.toBeNull();
  });

  it('has patience with a host whose answers take longer than the polls are apart', async () => {
    const { code } = await waitIn({
      pollInterval: 1000,
      answerTakes: 1500,
      api: (ms) => (ms < 30_000 ? null : newBoot(ms, 20_000)),
      bootId: () => null,
    });
    expect(code).toBeNull();
  });

  it('is not misled by a boot id that was read before the machine went down', async () => {
    const { code } = await waitIn({
      api: (ms) => (ms < 3000 ? oldBoot(ms) : ms < 30_000 ? null : newBoot(ms, 20_000)),
      bootId: (ms) => (ms < 3000 ? 'old-boot' : null),
    });
    expect(code).toBeNull();
  });

  it('does not take an API that went away and came back for a boot', async () => {
    const { code, reboot } = await waitIn({
      api: (ms) => (ms > 4000 && ms < 9000 ? null : oldBoot(ms)),
      bootId: () => 'old-boot',
    });
    expect({ code, upAt: reboot?.upAt }).toEqual({ code: 'reboot.not-down', upAt: null });
  });

  it('says of a machine that never went down just that, after a quarter of the time', async () => {
    expect((await waitIn({ api: oldBoot, bootId: () => 'old-boot' })).code).toBe('reboot.not-down');
  });

  it('says of a machine that stays away just that', async () => {
    expect((await waitIn({ api: () => null, bootId: () => null })).code).toBe('reboot.not-back');
  });

  it('ends at once when another certificate answers', async () => {
    const refuses = new Fault('net.untrusted', 'another certificate', { denied: 'certificate' });
    expect((await waitIn({ api: oldBoot, bootId: () => null, refuses })).code).toBe('net.untrusted');
  });
});
