import { EXIT, Fault, type FaultOptions, Outdated } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import type { Clock } from '../world.js';
import type { LockStore, StoredTags } from './store.js';
import { formatLockTag, type LockTag, parseLockTag, type Standing, standing, withoutLock } from './tag.js';

export interface ClusterLock {
  readonly cluster: string;
  readonly prefix: string;
  readonly store: LockStore;
  readonly clock: Clock;
  /** From 0 to below 1: those that raced for a lock pause for different times. */
  random(): number;
}

export interface Claim {
  readonly owner: string;
  readonly run: string;
  readonly ttlMs: number;
  readonly onExpired: 'postpone' | 'take-over';
}

/** What the lock itself says to a run, beside the faults of the servers that keep it. */
export class LockFault extends Fault {}
/** Its tag is not there any more, or not alone. */
export class LockLost extends LockFault {
  constructor(message: string, options: FaultOptions) {
    super('lock.lost', message, options);
  }
}
/** Another holds it. */
export class LockForeign extends LockFault {
  constructor(message: string, options: FaultOptions) {
    super('lock.foreign', message, options);
  }
}

const LOST_RACES = 12;

/** What stands in the store now, judged by the node's clock. */
export async function look(lock: ClusterLock): Promise<Standing> {
  const [{ tags }, now] = await Promise.all([lock.store.read(), lock.store.now()]);
  return standing(lock.prefix, tags, now);
}

/**
 * Takes the lock, or prolongs it where this very run holds it already.
 * @throws Fault `lock.held` or `lock.expired` (another holds it), `lock.unreadable`, `lock.config-locked`
 *   (all exit 75), `lock.contended` after too many lost races
 */
export async function acquire(lock: ClusterLock, claim: Claim): Promise<LockTag> {
  return swapUntilSettled(lock, 'take', (seen, now) => {
    const current = standing(lock.prefix, seen.tags, now);
    if (current.kind === 'unreadable') throw unreadable(lock, current.tag);
    if (current.kind === 'held' && current.lock.run !== claim.run) {
      if (!current.expired || claim.onExpired === 'postpone') throw held(lock, current.lock, current.expired);
    }
    if (seen.configLock) throw configLocked(lock, seen.configLock);
    const mine = { owner: claim.owner, run: claim.run, expiresAt: now + Math.ceil(claim.ttlMs / 1000) };
    return { next: [...withoutLock(lock.prefix, seen.tags), formatLockTag(lock.prefix, mine)], value: mine };
  });
}

/**
 * Prolongs a lock that this run holds.
 * @throws Fault `lock.lost` when the tag of this run is no longer there
 */
export async function renew(lock: ClusterLock, claim: Claim): Promise<LockTag> {
  return swapUntilSettled(lock, 'renew', (seen, now) => {
    requireOwn(lock, seen, claim.run);
    if (seen.configLock) throw configLocked(lock, seen.configLock);
    const mine = { owner: claim.owner, run: claim.run, expiresAt: now + Math.ceil(claim.ttlMs / 1000) };
    return { next: [...withoutLock(lock.prefix, seen.tags), formatLockTag(lock.prefix, mine)], value: mine };
  });
}

/** Reads back that this run still holds the lock. @throws Fault `lock.lost` */
export async function confirm(lock: ClusterLock, run: string): Promise<void> {
  requireOwn(lock, await lock.store.read(), run);
}

/**
 * Removes the tag of `mine`, and only that.
 * @returns false when it was not there
 * @throws Fault `lock.foreign` when another holds the lock
 */
export async function release(
  lock: ClusterLock,
  mine: { readonly owner?: string | undefined; readonly run?: string | undefined },
): Promise<boolean> {
  return swapUntilSettled(lock, 'release', (seen) => {
    const locks = locksIn(lock, seen);
    const own = locks.filter(
      ({ lock: { owner, run } }) =>
        (mine.owner === undefined || owner === mine.owner) && (mine.run === undefined || run === mine.run),
    );
    const [other] = locks;
    if (own.length === 0 && other) throw foreign(lock, other.lock);
    if (own.length === 0) return { value: false };
    if (seen.configLock) throw configLocked(lock, seen.configLock);
    return { next: seen.tags.filter((tag) => !own.some((each) => each.tag === tag)), value: true };
  });
}

/** Removes whatever lock is there, readable or not. @returns the tags removed */
export async function breakLock(lock: ClusterLock): Promise<string[]> {
  return swapUntilSettled(lock, 'break', (seen) => {
    const rest = withoutLock(lock.prefix, seen.tags);
    const removed = seen.tags.filter((tag) => !rest.includes(tag));
    return removed.length === 0 ? { value: removed } : { next: rest, value: removed };
  });
}

/** Decide on what is seen, swap, read back; once more where another was faster or the outcome is unknown. */
async function swapUntilSettled<Value>(
  lock: ClusterLock,
  verb: 'take' | 'renew' | 'release' | 'break',
  decide: (seen: StoredTags, now: number) => { next?: readonly string[]; value: Value },
): Promise<Value> {
  const timed = verb === 'take' || verb === 'renew';
  for (let attempt = 0; attempt < LOST_RACES; attempt += 1) {
    // A clock that was read a moment before the tags errs on the safe side.
    const [seen, now] = await Promise.all([lock.store.read(), timed ? lock.store.now() : 0]);
    const { next, value } = decide(seen, now);
    if (!next) return value;
    try {
      await lock.store.swap(seen, next);
    } catch (error) {
      // Whether an unanswered write arrived shows when the tags are read again; the decision is made anew on them.
      const again = error instanceof Outdated || (error instanceof Fault && error.kind === 'unknown');
      if (!again) throw error;
      await lock.clock.sleep(20 + lock.random() * 80 * (attempt + 1));
      continue;
    }
    const after = (await lock.store.read()).tags.map((tag) => tag.toLowerCase());
    const added = next.filter((tag) => !seen.tags.includes(tag));
    if (added.every((tag) => after.includes(tag.toLowerCase()))) return value;
  }
  throw new LockFault(
    'lock.contended',
    `Could not ${verb} the lock of cluster "${lock.cluster}": others changed the tags each time.`,
    {
      hint: 'Try again in a moment.',
      exitCode: EXIT.tryLater,
    },
  );
}

function locksIn(lock: ClusterLock, seen: StoredTags): Array<{ tag: string; lock: LockTag }> {
  return seen.tags.flatMap((tag) => {
    const parsed = parseLockTag(lock.prefix, tag);
    return parsed === null || parsed === 'unreadable' ? [] : [{ tag, lock: parsed }];
  });
}

function requireOwn(lock: ClusterLock, seen: StoredTags, run: string): void {
  const locks = locksIn(lock, seen);
  if (locks.some((each) => each.lock.run === run) && locks.every((each) => each.lock.run === run)) return;
  const other = locks.find((each) => each.lock.run !== run);
  throw new LockLost(
    other
      ? `The lock of cluster "${lock.cluster}" is no longer ours alone: ${describe(other.lock)} holds it.`
      : `The lock of cluster "${lock.cluster}" is gone: another user removed the tag of run ${run}.`,
    { hint: `Find out who changed the tags: pbs-ctl lock show --cluster ${lock.cluster}` },
  );
}

const describe = ({ owner, run }: LockTag) => `"${owner}" (run ${run})`;
const until = ({ expiresAt }: LockTag) => isoFromSeconds(expiresAt);

function held(lock: ClusterLock, by: LockTag, expired: boolean): Fault {
  return expired
    ? new LockFault(
        'lock.expired',
        `The lock of cluster "${lock.cluster}" was left by ${describe(by)} and expired at ${until(by)}.`,
        {
          hint: `Make sure that nothing runs any more, then: pbs-ctl lock break --cluster ${lock.cluster} --yes (or policy.onExpiredLock "take-over")`,
          exitCode: EXIT.tryLater,
        },
      )
    : new LockFault(
        'lock.held',
        `The lock of cluster "${lock.cluster}" is held by ${describe(by)} until ${until(by)}.`,
        {
          hint: `Wait, or look: pbs-ctl lock show --cluster ${lock.cluster}`,
          exitCode: EXIT.tryLater,
          retryAfter: until(by),
        },
      );
}

const foreign = (lock: ClusterLock, by: LockTag) =>
  new LockForeign(`The lock of cluster "${lock.cluster}" is held by ${describe(by)}; it is not released.`, {
    hint: `Only its owner releases it; in an emergency: pbs-ctl lock break --cluster ${lock.cluster} --yes`,
  });

const unreadable = (lock: ClusterLock, tag: string) =>
  new LockFault(
    'lock.unreadable',
    `Cluster "${lock.cluster}" carries the tag "${tag}", which begins like a lock and cannot be read.`,
    {
      hint: `Find out who set it, then: pbs-ctl lock break --cluster ${lock.cluster} --yes`,
      exitCode: EXIT.tryLater,
    },
  );

const configLocked = (lock: ClusterLock, by: string) =>
  new LockFault(
    'lock.config-locked',
    `The guest that carries the lock of cluster "${lock.cluster}" is locked by PVE (${by}); its tags cannot be written.`,
    {
      hint: 'Wait until that operation has ended.',
      exitCode: EXIT.tryLater,
    },
  );
