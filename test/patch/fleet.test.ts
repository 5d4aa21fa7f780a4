import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { workThrough } from '../../src/patch/fleet.js';

interface Job {
  readonly name: number;
  readonly clusters: ReadonlySet<string>;
  readonly takes: number;
}

const job = (clusters: readonly string[], takes = 1, name = 0): Job => ({
  name,
  takes,
  clusters: new Set(clusters),
});
const named = (jobs: readonly Job[]) => jobs.map((each, name) => ({ ...each, name }));

/** Time that passes only when everybody waits for it. */
function time() {
  const sleepers: Array<{ at: number; wake: () => void }> = [];
  let now = 0;
  return {
    now: () => now,
    sleep: (ms: number) => new Promise<void>((wake) => sleepers.push({ at: now + ms, wake })),
    async run<Result>(work: Promise<Result>): Promise<Result> {
      let over = false;
      void work.then(
        () => (over = true),
        () => (over = true),
      );
      for (;;) {
        await new Promise((resolve) => setImmediate(resolve));
        if (over) return work;
        sleepers.sort((a, b) => a.at - b.at);
        const next = sleepers.shift();
        if (!next) throw new Error('nobody works and nobody waits');
        now = next.at;
        next.wake();
      }
    },
  };
}

async function work(jobs: readonly Job[], lanes: number, fails: (job: Job) => boolean = () => false) {
  const clock = time();
  const running = new Set<Job>();
  const begun: Job[] = [];
  let most = 0;
  const left = await clock.run(
    workThrough({
      items: jobs,
      lanes,
      mayBegin: () => true,
      act: async (item) => {
        for (const other of running)
          for (const cluster of other.clusters)
            if (item.clusters.has(cluster)) throw new Error(`two in cluster ${cluster}`);
        running.add(item);
        begun.push(item);
        most = Math.max(most, running.size);
        await clock.sleep(item.takes);
        running.delete(item);
        return !fails(item);
      },
    }),
  );
  return { took: clock.now(), begun, left, most, running };
}

const jobs = fc
  .array(
    fc.record({
      clusters: fc.uniqueArray(fc.constantFrom('a', 'b', 'c', 'd', 'e'), { maxLength: 3 }),
      takes: fc.integer({ min: 1, max: 9 }),
    }),
    { maxLength: 20 },
  )
  .map((drawn) => named(drawn.map(({ clusters, takes }) => job(clusters, takes))));

describe('a fleet', () => {
  it('is worked through whole, never two hosts of one cluster at once, never more than the lanes', () =>
    fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 8 }), async (all, lanes) => {
        const { begun, left, most } = await work(all, lanes);
        expect([...begun].sort((a, b) => a.name - b.name)).toEqual(all);
        expect(left).toEqual([]);
        expect(most).toBeLessThanOrEqual(lanes);
      }),
      { numRuns: 60 },
    ));

  it('keeps the order within each cluster, and of all with one lane', () =>
    fc.assert(
      fc.asyncProperty(jobs, fc.integer({ min: 1, max: 8 }), async (all, lanes) => {
        const { begun } = await work(all, lanes);
        if (lanes === 1) expect(begun).toEqual(all);
        for (const cluster of 'abcde') {
          const names = begun.filter(({ clusters }) => clusters.has(cluster)).map(({ name }) => name);
          expect(names).toEqual([...names].sort((a, b) => a - b));
        }
      }),
      { numRuns: 60 },
    ));

  it('of independent clusters takes as long as the longest of them, where there is a lane for each', () =>
    fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.constantFrom('a', 'b', 'c', 'd'), fc.integer({ min: 1, max: 9 })), {
          minLength: 1,
          maxLength: 20,
        }),
        async (drawn) => {
          const all = named(drawn.map(([cluster, takes]) => job([cluster], takes)));
          const lengths = new Map<string, number>();
          for (const [cluster, takes] of drawn) lengths.set(cluster, (lengths.get(cluster) ?? 0) + takes);
          expect((await work(all, 4)).took).toBe(Math.max(...lengths.values()));
        },
      ),
      { numRuns: 60 },
    ));

  it('begins nothing more after one that failed; what is under way goes on to its end', async () => {
    const all = named([job(['a'], 2), job(['b'], 9), job(['a']), job(['c'])]);
    const { begun, left, running, took } = await work(all, 2, ({ name }) => name === 0);
    expect(begun.map(({ name }) => name)).toEqual([0, 1]);
    expect(left.map(({ name }) => name)).toEqual([2, 3]);
    expect([running.size, took]).toEqual([0, 9]);
  });
});
