import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault, Outdated } from '../../src/fault.js';
import { acquire, type ClusterLock, confirm, release, renew } from '../../src/lock/lock.js';
import type { LockStore } from '../../src/lock/store.js';
import { standing } from '../../src/lock/tag.js';

/** A store with a digest, like the config of a guest; answers come in an order that fast-check chooses. */
function sharedGuest(scheduler: fc.Scheduler) {
  let tags: string[] = ['prod', 'Keep.Me'];
  let revision = 0;
  let now = 1000;
  const store: LockStore = {
    kind: 'guest-tag',
    read: () =>
      scheduler
        .schedule(Promise.resolve(), 'read')
        .then(() => ({ tags: [...tags], digest: String(revision), configLock: null })),
    swap: (seen, next) =>
      scheduler.schedule(Promise.resolve(), 'swap').then(() => {
        if (seen.digest !== String(revision)) throw new Outdated('pve.modified', 'checksum mismatch');
        tags = [...next];
        revision += 1;
      }),
    now: async () => now,
  };
  return {
    store,
    tags: () => tags,
    pass: (seconds: number) => {
      now += seconds;
    },
    now: () => now,
  };
}

const clock = { now: () => 0, timeout: AbortSignal.timeout, monotonic: () => 0, sleep: async () => {} };

describe('the lock as a compare-and-swap on tags', () => {
  it('has at most one owner, whatever the order of the answers', async () => {
    await fc.assert(
      fc.asyncProperty(fc.scheduler(), fc.integer({ min: 2, max: 5 }), async (scheduler, contenders) => {
        const guest = sharedGuest(scheduler);
        const lock: ClusterLock = {
          cluster: 'main',
          prefix: 'pbs-ctl-lock',
          store: guest.store,
          clock,
          random: Math.random,
        };
        const tries = Array.from({ length: contenders }, (_, index) =>
          acquire(lock, {
            owner: `host${index}`,
            run: `r${index}`,
            ttlMs: 60_000,
            onExpired: 'postpone',
          }).then(
            () => 'held' as const,
            (error: unknown) => (error instanceof Fault ? error.code : 'crash'),
          ),
        );
        await scheduler.waitFor(Promise.all(tries));
        const results = await Promise.all(tries);
        expect(results.filter((result) => result === 'held')).toHaveLength(1);
        expect(results.filter((result) => result !== 'held').every((code) => code === 'lock.held')).toBe(
          true,
        );
        expect(guest.tags().slice(0, 2)).toEqual(['prod', 'Keep.Me']);
      }),
      { numRuns: 200 },
    );
  });

  it('is free for others only after its release or its expiry, and is never released by a stranger', async () => {
    const action = fc.record({
      who: fc.integer({ min: 0, max: 2 }),
      what: fc.constantFrom('acquire', 'renew', 'release', 'confirm', 'wait'),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(action, { maxLength: 30 }), async (actions) => {
        let tags: string[] = [];
        let revision = 0;
        let now = 1000;
        const store: LockStore = {
          kind: 'guest-tag',
          read: async () => ({ tags: [...tags], digest: String(revision), configLock: null }),
          swap: async (_, next) => {
            tags = [...next];
            revision += 1;
          },
          now: async () => now,
        };
        const lock: ClusterLock = {
          cluster: 'main',
          prefix: 'pbs-ctl-lock',
          store,
          clock,
          random: Math.random,
        };
        let model: { who: number; until: number } | null = null;
        for (const { who, what } of actions) {
          const claim = { owner: `h${who}`, run: `r${who}`, ttlMs: 60_000, onExpired: 'take-over' as const };
          if (what === 'wait') now += 25;
          else if (what === 'acquire') {
            const free: boolean = model === null || model.who === who || model.until <= now;
            const got = await acquire(lock, claim).then(
              () => true,
              () => false,
            );
            expect(got).toBe(free);
            if (got) model = { who, until: now + 60 };
          } else if (what === 'renew') {
            const own: boolean = model?.who === who;
            expect(
              await renew(lock, claim).then(
                () => true,
                () => false,
              ),
            ).toBe(own);
            if (own) model = { who, until: now + 60 };
          } else if (what === 'confirm') {
            expect(
              await confirm(lock, claim.run).then(
                () => true,
                () => false,
              ),
            ).toBe(model?.who === who);
          } else {
            const outcome = await release(lock, { run: claim.run }).then(
              (value) => value,
              () => 'refused',
            );
            expect(outcome).toBe(model === null ? false : model.who === who ? true : 'refused');
            if (outcome === true) model = null;
          }
          const current = standing('pbs-ctl-lock', tags, now);
          expect(current.kind).toBe(model === null ? 'free' : 'held');
        }
      }),
    );
  });
});
