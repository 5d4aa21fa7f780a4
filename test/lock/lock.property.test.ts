import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault, Outdated } from '../../src/fault.js';
import { acquire, confirm, type Holding, releaseHeld, renew } from '../../src/lock/lock.js';
import { seenAt } from '../../src/lock/look.js';
import { release } from '../../src/lock/release.js';
import type { Around, ClusterLock, LockStore } from '../../src/lock/store.js';

const PREFIX = 'pbs-ctl-lock';
const CLOCK = { now: () => 0, timeout: AbortSignal.timeout, monotonic: () => 0 };

/**
 * Guests that carry tags, each with a digest. Writes are in one order for all; the answers come in an order that
 * fast-check chooses, and a node that lists the cluster may be behind by as many writes as `lag` says.
 */
class Cluster {
  now = 1000;
  readonly #scheduler: { schedule<T>(task: Promise<T>, label?: string): Promise<T> };
  readonly #tags = new Map<number, readonly string[]>();
  readonly #log: Array<ReadonlyMap<number, readonly string[]>> = [];

  constructor(guests: readonly number[], scheduler: Cluster['scheduler'] = AT_ONCE) {
    this.#scheduler = scheduler;
    for (const guest of guests) this.#tags.set(guest, ['prod', 'Keep.Me']);
    this.#log.push(new Map(this.#tags));
  }
  get scheduler() {
    return this.#scheduler;
  }
  tagsOf = (guest: number) => this.#tags.get(guest) ?? [];
  store(guest: number, tags: readonly string[]): void {
    this.#tags.set(guest, [...tags]);
    this.#log.push(new Map(this.#tags));
  }

  at(place: number | null): LockStore {
    const guest = place ?? 0;
    return {
      kind: 'guest-tag',
      place: guest,
      read: () =>
        this.#scheduler.schedule(Promise.resolve(), 'read').then(() => ({
          tags: [...this.tagsOf(guest)],
          digest: JSON.stringify(this.tagsOf(guest)),
          configLock: null,
        })),
      swap: (seen, next) =>
        this.#scheduler.schedule(Promise.resolve(), 'swap').then(() => {
          if (seen.digest !== JSON.stringify(this.tagsOf(guest)))
            throw new Outdated('pve.modified', 'checksum mismatch');
          this.store(guest, next);
        }),
      now: async () => this.now,
    };
  }

  /** Through a node that is behind by what `lag` says next; it never lists less than it did before. */
  around(lag: () => number): Around {
    let applied = 0;
    return {
      at: (place) => this.at(place),
      look: () =>
        this.#scheduler.schedule(Promise.resolve(), 'look').then(() => {
          applied = Math.max(applied, this.#log.length - 1 - lag());
          return [...(this.#log[applied] ?? [])].map(([place, tags]) => ({ place, tags }));
        }),
    };
  }

  lock(carrier: number, lag: () => number = () => 0): ClusterLock {
    return {
      cluster: 'main',
      prefix: PREFIX,
      store: this.at(carrier),
      around: this.around(lag),
      clock: { ...CLOCK, sleep: () => this.#scheduler.schedule(Promise.resolve(), 'sleep') },
      random: Math.random,
    };
  }
}
const AT_ONCE = { schedule: <T>(task: Promise<T>) => task };

const claimOf = (who: number, more: object = {}) => ({
  owner: `h${who}`,
  run: `r${who}`,
  ttlMs: 60_000,
  onExpired: 'postpone' as const,
  sole: true,
  ...more,
});
const codeOf = (error: unknown) => (error instanceof Fault ? error.code : 'crash');

describe('the lock as a compare-and-swap on tags', () => {
  it('has exactly one owner of all who want it on one guest, whatever the order of the answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 5 }), async (scheduler, contenders) => {
        const cluster = new Cluster([900], scheduler);
        const tries = Array.from({ length: contenders }, (_, who) =>
          acquire(cluster.lock(900), claimOf(who)).then(() => 'held' as const, codeOf),
        );
        await scheduler.waitFor(Promise.all(tries));
        const results = await Promise.all(tries);
        expect(results.filter((result) => result === 'held')).toHaveLength(1);
        expect(results.filter((result) => result !== 'held').every((code) => code === 'lock.held')).toBe(
          true,
        );
        expect(cluster.tagsOf(900).slice(0, 2)).toEqual(['prod', 'Keep.Me']);
      }),
      { numRuns: 200 },
    );
  });

  it('has at most one owner where each writes to a guest of its own and its node may be behind', async () => {
    const contender = fc.record({
      carrier: fc.integer({ min: 900, max: 903 }),
      lags: fc.infiniteStream(fc.oneof({ weight: 3, arbitrary: fc.constant(0) }, fc.nat({ max: 6 }))),
      begins: fc.nat({ max: 8 }),
    });
    let had = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.scheduler(),
        fc.array(contender, { minLength: 2, maxLength: 4 }),
        async (scheduler, drawn) => {
          const cluster = new Cluster([900, 901, 902, 903], scheduler);
          const owners = new Set<number>();
          let most = 0;
          const races = drawn.map(async ({ carrier, lags, begins }, who) => {
            for (let turn = 0; turn < begins; turn += 1) await scheduler.schedule(Promise.resolve());
            const lock = cluster.lock(carrier, () => lags.next().value ?? 0);
            const holding = await acquire(lock, claimOf(who)).catch((error: unknown) => {
              expect(codeOf(error)).toMatch(/^lock\.(held|contended|unseen)$/);
              return null;
            });
            if (!holding) return;
            had += 1;
            owners.add(who);
            most = Math.max(most, owners.size);
            for (let turn = 0; turn < 5; turn += 1) await scheduler.schedule(Promise.resolve());
            await confirm(holding);
            owners.delete(who);
            await releaseHeld(holding);
          });
          await scheduler.waitFor(Promise.all(races));
          await Promise.all(races);
          expect(most).toBeLessThanOrEqual(1);
          for (const guest of [900, 901, 902, 903])
            expect(cluster.tagsOf(guest)).toEqual(['prod', 'Keep.Me']);
        },
      ),
      { numRuns: 200 },
    );
    expect(had).toBeGreaterThan(100);
  });

  it('is free for others only after its release or its expiry, and is never released by a stranger', async () => {
    const action = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('acquire', 'renew', 'release', 'confirm', 'wait'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        const cluster = new Cluster([900]);
        const lock = cluster.lock(900);
        const holdings = new Map<number, Holding>();
        const works = (act: Promise<unknown> | undefined) =>
          act?.then(
            () => true,
            () => false,
          ) ?? false;
        let model: { who: number; until: number } | null = null;
        for (const { who, what } of actions) {
          const holding = holdings.get(who);
          const own: boolean = model?.who === who;
          if (what === 'wait') cluster.now += 25;
          else if (what === 'acquire') {
            const free: boolean = model === null || own || model.until <= cluster.now;
            const got = await acquire(lock, claimOf(who, { onExpired: 'take-over' })).catch(() => null);
            expect(got !== null).toBe(free);
            if (got) {
              holdings.set(who, got);
              model = { who, until: cluster.now + 60 };
            }
          } else if (what === 'renew') {
            expect(await works(holding && renew(holding))).toBe(own);
            if (own) model = { who, until: cluster.now + 60 };
          } else if (what === 'confirm') {
            expect(await works(holding && confirm(holding))).toBe(own);
          } else {
            const outcome = await release(lock, { run: `r${who}` }).catch(() => 'refused');
            expect(outcome).toBe(model === null ? false : own ? true : 'refused');
            if (outcome === true) model = null;
          }
          const places = [{ place: 900, tags: cluster.tagsOf(900) }];
          expect(seenAt(PREFIX, places, 900, cluster.now).kind).toBe(model === null ? 'free' : 'held');
        }
      }),
    );
  });
});

describe('a lock tag on a guest that is not the carrier', () => {
  const HELD = `${PREFIX}+other+x1+2000`;
  const OLD = `${PREFIX}+other+x1+500`;
  it.each`
    what                         | tag                      | code
    ${'that lasts'}              | ${HELD}                  | ${'lock.held'}
    ${'that has expired'}        | ${OLD}                   | ${'lock.expired'}
    ${'that cannot be read'}     | ${`${PREFIX}+x`}         | ${'lock.unreadable'}
    ${'that is no lock'}         | ${PREFIX}                | ${null}
    ${'of the own run, expired'} | ${`${PREFIX}+h1+r1+999`} | ${null}
  `('$what: $code, also where expired ones of the carrier are taken over', async ({ tag, code }) => {
    const cluster = new Cluster([900, 901]);
    cluster.store(901, ['prod', tag]);
    const taken = acquire(cluster.lock(900), claimOf(1, { onExpired: 'take-over', sole: false }));
    if (code === null) await taken;
    else await expect(taken).rejects.toMatchObject({ code, exitCode: 75 });
    if (code !== null) expect(cluster.tagsOf(900)).toEqual(['prod', 'Keep.Me']);
  });

  it('of a run that is resumed is taken over there, once no other process can be at work on it', async () => {
    const cluster = new Cluster([900, 901]);
    cluster.store(901, [`${PREFIX}+h1+r1+2000`]);
    const resume = (sole: boolean) => acquire(cluster.lock(900), claimOf(1, { sole }));
    await expect(resume(false)).rejects.toMatchObject({ code: 'lock.held' });
    const holding = await resume(true);
    expect(cluster.tagsOf(901)).toEqual([`${PREFIX}+h1+r1+1060`]);
    expect(cluster.tagsOf(900)).toEqual(['prod', 'Keep.Me']);
    await releaseHeld(holding);
    cluster.store(901, [`${PREFIX}+h1+r1+999`]);
    await resume(false);
    expect(cluster.tagsOf(901)).toEqual([`${PREFIX}+h1+r1+1060`]);
  });

  it('of the own owner is released where it stands', async () => {
    const cluster = new Cluster([900, 901]);
    cluster.store(901, ['prod', HELD]);
    await expect(release(cluster.lock(900), { owner: 'me' })).rejects.toMatchObject({ code: 'lock.foreign' });
    expect(await release(cluster.lock(900), { owner: 'other' })).toBe(true);
    expect(cluster.tagsOf(901)).toEqual(['prod']);
  });
});

describe('the tag of a lease', () => {
  it('has to be to the letter what this process wrote: one that another process of the run has renewed is lost', async () => {
    const cluster = new Cluster([900]);
    const holding = await acquire(cluster.lock(900), claimOf(1));
    await confirm(holding);
    cluster.now += 10;
    const other = await acquire(cluster.lock(900), claimOf(1));
    await confirm(other);
    for (const act of [confirm, renew])
      await expect(act(holding)).rejects.toMatchObject({ code: 'lock.lost' });
    expect(await releaseHeld(holding)).toBe(false);
    await confirm(other);
  });

  it('may be either of two while the answer to a write is missing', async () => {
    const cluster = new Cluster([900]);
    const holding = await acquire(cluster.lock(900), claimOf(1));
    const swap =
      (arrives: boolean): LockStore['swap'] =>
      async (seen, next) => {
        if (arrives) await cluster.at(900).swap(seen, next);
        // No read after it tells which.
        Object.assign(holding.lock.store, { read: () => Promise.reject(new Fault('net.timeout', 'away')) });
        throw new Fault('outcome.unknown', 'no answer', { kind: 'unknown' });
      };
    for (const arrives of [false, true]) {
      cluster.now += 10;
      Object.assign(holding.lock.store, { swap: swap(arrives) });
      await expect(renew(holding)).rejects.toMatchObject({ code: 'net.timeout' });
      Object.assign(holding.lock.store, cluster.at(900));
      await confirm(holding);
    }
  });
});
