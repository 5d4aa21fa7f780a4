import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Fault, Outdated } from '../../src/fault.js';
import { type Lease, takeLease } from '../../src/lock/lease.js';
import { seenAt } from '../../src/lock/look.js';
import { breakLock } from '../../src/lock/release.js';
import type { ClusterLock, LockStore } from '../../src/lock/store.js';
import { VirtualClock } from '../support/virtual-clock.js';

const TTL = 60_000;
const PREFIX = 'pbs-ctl-lock';

/** A guest of PVE that carries the tag: a digest over its config, and answers that may get lost. */
class Guest implements LockStore {
  readonly kind = 'guest-tag';
  readonly place = 900;
  tags: string[] = ['prod'];
  /** The next write arrives, and its answer does not. */
  losesAnswer = false;
  /** No request gets through. */
  away = false;
  readonly #clock: VirtualClock;
  #revision = 0;

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  /** The node keeps its own time, whatever is done to the clock of a controller. */
  seconds = () => Math.floor(this.#clock.monotonic() / 1000);
  read = async () => {
    this.#answer();
    return { tags: [...this.tags], digest: String(this.#revision), configLock: null };
  };
  now = async () => {
    this.#answer();
    return this.seconds();
  };
  swap = async (seen: { digest: string }, next: readonly string[]) => {
    this.#answer();
    if (seen.digest !== String(this.#revision)) throw new Outdated('pve.modified', 'checksum mismatch');
    this.store([...next]);
    if (this.losesAnswer) {
      this.losesAnswer = false;
      throw new Fault('outcome.unknown', 'the connection was cut', { kind: 'unknown' });
    }
  };
  #answer(): void {
    if (this.away) throw new Fault('net.unreachable', 'no route to host', { kind: 'passing' });
  }
  store(tags: string[]): void {
    this.tags = tags;
    this.#revision += 1;
  }
}

interface Real {
  readonly clock: VirtualClock;
  readonly guest: Guest;
  readonly leases: Map<number, Lease>;
  attempts: number;
}
/** Who believes to hold the lock and was not disturbed, so that it has to be right. */
interface Model {
  undisturbed: number | null;
}

const lockOf = ({ clock, guest }: Real): ClusterLock => ({
  cluster: 'main',
  prefix: PREFIX,
  store: guest,
  around: {
    look: async () => [{ place: guest.place, tags: (await guest.read()).tags }],
    at: () => guest,
  },
  clock,
  random: Math.random,
});
const holds = (lease: Lease) =>
  lease.confirm().then(
    () => true,
    () => false,
  );

/** The invariant: of all who believe to hold the lock at most one may change anything. */
async function check(model: Model, { leases, clock, guest }: Real): Promise<void> {
  const may: number[] = [];
  for (const [who, lease] of leases) if (await clock.until(holds(lease))) may.push(who);
  expect(may.length).toBeLessThanOrEqual(1);
  if (may.length === 0) return expect(model.undisturbed).toBeNull();
  // What it begins now is over before anybody may think the lock stale.
  const now = guest.seconds();
  const { counts } = seenAt(PREFIX, [guest], guest.place, now);
  const expiresAt = counts && counts.lock !== 'unreadable' ? counts.lock.expiresAt : now;
  expect(expiresAt - now).toBeGreaterThanOrEqual(TTL / 4000 - 1);
  if (model.undisturbed !== null) expect(may).toEqual([model.undisturbed]);
}

const command = (
  name: string,
  act: (model: Model, real: Real) => Promise<void>,
): fc.AsyncCommand<Model, Real> => ({
  check: () => true,
  run: async (model, real) => {
    await act(model, real);
    await check(model, real);
  },
  toString: () => name,
});

const take = (who: number, losesAnswer: boolean) =>
  command(`${who} takes it${losesAnswer ? ', and the answer is lost' : ''}`, async (model, real) => {
    const { clock, guest, leases } = real;
    if (leases.has(who)) return;
    real.attempts += 1;
    guest.losesAnswer = losesAnswer;
    const wanted = {
      lock: lockOf(real),
      claim: {
        owner: `host${who}`,
        run: `r${real.attempts}`,
        ttlMs: TTL,
        onExpired: 'take-over' as const,
        sole: true,
      },
    };
    const options = { clock, onAcquired: () => {}, onRenewalFailed: () => {} };
    const lease = await clock.until(takeLease([wanted], options)).catch(() => null);
    guest.losesAnswer = false;
    if (model.undisturbed !== null) expect(lease).toBeNull();
    if (!lease) return;
    leases.set(who, lease);
    model.undisturbed = who;
  });

const disturb = (model: Model, who: number) => {
  if (model.undisturbed === who) model.undisturbed = null;
};

const commands = fc.commands(
  [
    fc.tuple(fc.nat({ max: 2 }), fc.boolean()).map(([who, lost]) => take(who, lost)),
    fc.nat({ max: 2 }).map((who) =>
      command(`${who} gives it back`, async (model, { clock, leases }) => {
        await clock.until(leases.get(who)?.release() ?? Promise.resolve([]));
        leases.delete(who);
        disturb(model, who);
      }),
    ),
    fc.nat({ max: 2 }).map((who) =>
      command(`${who} dies`, async (model, { leases }) => {
        leases.get(who)?.leave();
        leases.delete(who);
        disturb(model, who);
      }),
    ),
    fc.nat({ max: 2 }).map((who) =>
      // As a suspended laptop: it renews nothing, and goes on later where it stopped.
      command(`${who} sleeps`, async (model, { leases }) => {
        leases.get(who)?.leave();
        disturb(model, who);
      }),
    ),
    fc
      .integer({ min: 1, max: 90 })
      .map((seconds) => command(`${seconds} s pass`, async (_, { clock }) => clock.pass(seconds * 1000))),
    fc.integer({ min: -600, max: 600 }).map((seconds) =>
      command(`the controllers' clock is set by ${seconds} s`, async (model, { clock }) => {
        clock.step(seconds * 1000);
        // Set forward it cannot be told from a machine that was suspended.
        if (seconds > 0) model.undisturbed = null;
      }),
    ),
    fc.boolean().map((away) =>
      command(away ? 'PVE goes away' : 'PVE answers again', async (model, { guest }) => {
        guest.away = away;
        if (away) model.undisturbed = null;
      }),
    ),
    fc.constant(
      command('another user breaks it', async (model, real) => {
        await real.clock.until(breakLock(lockOf(real)).catch(() => []));
        if (!real.guest.away) model.undisturbed = null;
      }),
    ),
    fc.constant(
      command('the tag editor erases it', async (model, { guest }) => {
        guest.store(['prod']);
        model.undisturbed = null;
      }),
    ),
    fc.constant(
      command('another user adds a tag', async (_, { guest }) => guest.store([...guest.tags, 'edited'])),
    ),
  ],
  { maxCommands: 40, size: 'max' },
);

describe('the lease of a lock, in arbitrary order of what can happen to it', () => {
  it('lets at most one change anything, and whoever holds it undisturbed go on', async () => {
    await fc.assert(
      fc.asyncProperty(commands, async (drawn) => {
        const clock = new VirtualClock();
        const real: Real = { clock, guest: new Guest(clock), leases: new Map(), attempts: 0 };
        await fc.asyncModelRun(() => ({ model: { undisturbed: null }, real }), drawn);
        for (const lease of real.leases.values()) lease.leave();
        expect(real.guest.tags.filter((tag) => tag === 'prod')).toEqual(['prod']);
      }),
      { numRuns: 100 },
    );
  });

  it.each`
    what                                                                 | step          | passes
    ${'was suspended, so that only the wall clock went on'}              | ${46_000}     | ${0}
    ${'was stopped by SIGSTOP, so that it renewed nothing'}              | ${0}          | ${46_000}
    ${'could not renew the lock, while its clock was set back by hours'} | ${-7_200_000} | ${46_000}
  `('changes nothing more in a process that $what', async ({ step, passes }) => {
    const clock = new VirtualClock();
    const guest = new Guest(clock);
    const real: Real = { clock, guest, leases: new Map(), attempts: 0 };
    const claim = { owner: 'host', run: 'r1', ttlMs: TTL, onExpired: 'postpone' as const, sole: true };
    const options = { clock, onAcquired: () => {}, onRenewalFailed: () => {} };
    const lease = await clock.until(takeLease([{ lock: lockOf(real), claim }], options));
    await lease.confirm();
    lease.leave();
    clock.step(step);
    await clock.pass(passes);
    // The tag is still its own; no one could say for how long.
    await expect(lease.confirm()).rejects.toMatchObject({ code: 'lock.stale' });
  });
});
