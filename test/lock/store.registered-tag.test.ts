import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Pve } from '../../src/api/pve.js';
import { Fault } from '../../src/fault.js';
import { acquire, confirm } from '../../src/lock/lock.js';
import { release } from '../../src/lock/release.js';
import { type ClusterLock, registeredTagStore } from '../../src/lock/store.js';
import { VirtualClock } from '../support/virtual-clock.js';

/** Milliseconds within which every request ends: what the settle time is twice of. */
const LIMIT = 5000;
const SETTLE = 2 * LIMIT;

/** The datacenter options: the last write wins, whatever the writer had read. Each request takes as long as it is told. */
class Datacenter {
  tags: string[] = ['prod'];
  readonly #clock: VirtualClock;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** What a client of its own sees; `delays` in milliseconds, one for each request. */
  client(delays: () => number): Pve {
    const late = async <Value>(act: () => Value): Promise<Value> => {
      // On the way there: that is where a write overtakes another.
      await this.#clock.sleep(delays());
      return act();
    };
    const asked: Partial<Pve> = {
      cluster: 'main',
      registeredTags: () => late(() => [...this.tags]),
      setRegisteredTags: (tags) =>
        late(() => {
          this.tags = [...tags];
        }),
      clusterStatus: async () =>
        ({ online: ['pve1'] }) as unknown as Awaited<ReturnType<Pve['clusterStatus']>>,
      nodeTime: async () =>
        ({ epochSeconds: Math.floor(this.#clock.now() / 1000) }) as Awaited<ReturnType<Pve['nodeTime']>>,
    };
    return asked as Pve;
  }
}

function contender(datacenter: Datacenter, clock: VirtualClock, index: number, delays: () => number) {
  const client = datacenter.client(delays);
  const store = registeredTagStore(client, clock, SETTLE);
  const lock: ClusterLock = {
    cluster: 'main',
    prefix: 'pbs-ctl-lock',
    random: Math.random,
    store,
    around: { look: async () => [{ place: null, tags: await client.registeredTags() }], at: () => store },
    clock,
  };
  const claim = {
    owner: `host${index}`,
    run: `r${index}`,
    ttlMs: 3_600_000,
    onExpired: 'postpone' as const,
    sole: true,
  };
  return { lock, claim };
}

describe('the lock in the registered tags, where PVE has no compare-and-swap', () => {
  it('has at most one owner as long as requests end within the limit that the settle time is made of', async () => {
    const contenders = fc.array(
      fc.record({
        begins: fc.nat({ max: 5000 }),
        delays: fc.infiniteStream(
          fc.oneof(
            { weight: 3, arbitrary: fc.integer({ min: 1, max: 50 }) },
            fc.integer({ min: LIMIT / 2, max: LIMIT }),
          ),
        ),
        holds: fc.integer({ min: 100, max: 30_000 }),
      }),
      { minLength: 2, maxLength: 5 },
    );
    await fc.assert(
      fc.asyncProperty(contenders, async (drawn) => {
        const clock = new VirtualClock();
        const datacenter = new Datacenter(clock);
        const owners = new Set<number>();
        let most = 0;
        const races = drawn.map(async ({ begins, delays, holds }, index) => {
          const { lock, claim } = contender(datacenter, clock, index, () => delays.next().value ?? 1);
          await clock.sleep(begins);
          try {
            await acquire(lock, claim);
          } catch (error) {
            if (!(error instanceof Fault)) throw error;
            return;
          }
          owners.add(index);
          most = Math.max(most, owners.size);
          await clock.sleep(holds);
          owners.delete(index);
          await release(lock, { run: claim.run }).catch(() => false);
        });
        await clock.until(Promise.all(races));
        expect(most).toBeLessThanOrEqual(1);
        expect(datacenter.tags).toContain('prod');
      }),
      { numRuns: 100 },
    );
  });

  it('beyond it a stalled writer may push the owner out: the owner sees that before its next step', async () => {
    const clock = new VirtualClock();
    const datacenter = new Datacenter(clock);
    // Reads, is stalled for a minute with the write under way, and wakes in a cluster that is locked.
    const waits = [10, 10, 10, 60_000, 10, 10];
    const stalled = contender(datacenter, clock, 0, () => waits.shift() ?? 10);
    const prompt = contender(datacenter, clock, 1, () => 10);
    const first = acquire(stalled.lock, stalled.claim);
    await clock.pass(100);
    const holding = await clock.until(acquire(prompt.lock, prompt.claim));
    await clock.until(confirm(holding));
    await clock.until(first);
    const lost = await clock.until(confirm(holding).catch((error: unknown) => error));
    expect(lost).toMatchObject({ code: 'lock.lost' });
    expect(String(lost)).toContain('"host0" (run r0) holds it');
  });
});
