import { errorDocument, Fault } from '../fault.js';
import { retry } from '../poll.js';
import type { Clock } from '../world.js';
import { acquire, type Claim, confirm, type Holding, releaseHeld, renew } from './lock.js';
import { LockFault, LockForeign, LockLost } from './lock-fault.js';
import { release } from './release.js';
import type { ClusterLock } from './store.js';

/** The locks of a run, held together: taken in order, renewed while it lasts, released at its end. */
export interface Lease {
  readonly clusters: readonly string[];
  /**
   * Reads the tags back and looks at the lease's age.
   * @throws Fault `lock.lost` (another user removed it) or `lock.stale` (not renewed for too long)
   */
  confirm(): Promise<void>;
  /** Releases every lock; what could not be released is returned with its reason, never thrown. */
  release(): Promise<Array<{ cluster: string; error: unknown }>>;
  /** Stops renewing and leaves the tags where they are. */
  leave(): void;
}

interface LeaseOptions {
  readonly clock: Clock;
  /** Told of a renewal that failed; the run stops at its next {@link Lease.confirm}. */
  readonly onRenewalFailed: (cluster: string, error: unknown) => void;
  /** `tookOver`: runs whose expired locks were replaced. */
  readonly onAcquired: (cluster: string, expiresAt: number, tookOver: readonly string[]) => void;
}

/** By both clocks of this machine: one stands still while it is suspended, the other may be set back. */
interface Moment {
  readonly wall: number;
  readonly monotonic: number;
}
const moment = (clock: Clock): Moment => ({ wall: clock.now(), monotonic: clock.monotonic() });
const since = ({ wall, monotonic }: Moment, clock: Clock): number =>
  Math.max(clock.now() - wall, clock.monotonic() - monotonic);

interface Held extends Holding {
  /** When the last renewal that succeeded was begun: an upper bound of what the tag says. */
  renewed: Moment;
  lost: unknown;
}

/**
 * Takes every lock in the given order, all or none.
 * @throws the Fault of the first that could not be had; those taken before are released again
 */
export async function takeLease(
  wanted: ReadonlyArray<{ readonly lock: ClusterLock; readonly claim: Claim }>,
  options: LeaseOptions,
): Promise<Lease> {
  const held: Held[] = [];
  for (const { lock, claim } of wanted) {
    try {
      const renewed = moment(options.clock);
      const holding = await acquire(lock, claim);
      held.push({ ...holding, renewed, lost: null });
      options.onAcquired(lock.cluster, holding.expiresAt, holding.tookOver);
    } catch (error) {
      for (const each of held.reverse()) await releaseHeld(each).catch(() => false);
      throw error;
    }
  }
  const stop = new AbortController();
  for (const each of held) void keepRenewed(each, options, stop.signal);
  return {
    clusters: held.map(({ lock }) => lock.cluster),
    async confirm() {
      for (const each of held) requireFresh(each, options.clock);
      await Promise.all(held.map(confirm));
      for (const each of held) requireFresh(each, options.clock);
    },
    async release() {
      stop.abort();
      const failed: Array<{ cluster: string; error: unknown }> = [];
      for (const each of [...held].reverse()) {
        await retryRelease(() => releaseHeld(each), options.clock).catch((error) =>
          failed.push({ cluster: each.lock.cluster, error }),
        );
      }
      return failed;
    },
    leave: () => stop.abort(),
  };
}

/** A lease that was not renewed for three quarters of its time changes nothing more: others may soon think it stale. */
function requireFresh({ lock, claim, renewed, lost }: Held, clock: Clock): void {
  if (lost) throw lost;
  if (since(renewed, clock) <= (claim.ttlMs * 3) / 4) return;
  throw new LockFault(
    'lock.stale',
    `The lock of cluster "${lock.cluster}" was not renewed in time; the run changes nothing more.`,
    {
      hint: `Look at the cluster, then run again: pbs-ctl lock show --cluster ${lock.cluster}`,
    },
  );
}

async function keepRenewed(
  held: Held,
  { clock, onRenewalFailed }: LeaseOptions,
  signal: AbortSignal,
): Promise<void> {
  const third = held.claim.ttlMs / 3;
  let pause = third;
  while (!signal.aborted) {
    try {
      await clock.sleep(pause, signal);
    } catch {
      return;
    }
    try {
      const asked = moment(clock);
      await renew(held);
      held.renewed = asked;
      pause = third;
    } catch (error) {
      if (signal.aborted) return;
      onRenewalFailed(held.lock.cluster, error);
      if (error instanceof LockLost) {
        held.lost = error;
        return;
      }
      pause = Math.max(1000, third / 10);
    }
  }
}

const RELEASE_TRIES = 5;

/**
 * Releases the lock of a run, if it still is its own.
 * @throws the Fault of the last try
 */
export async function releaseOwn(lock: ClusterLock, claim: Pick<Claim, 'run'>, clock: Clock): Promise<void> {
  await retryRelease(() => release(lock, { run: claim.run }), clock).catch((error) => {
    if (!(error instanceof LockForeign)) throw error;
  });
}

/** What to say where a lock stays, and how it is released once the cluster can be written again. */
export function notReleased(
  cluster: string,
  { owner, run }: Pick<Claim, 'owner' | 'run'>,
  error: unknown,
): string {
  const why = errorDocument(error).message.replace(/\.?$/, '.');
  return `The lock of cluster "${cluster}" could not be released: ${why} It stays until it is released:\npbs-ctl lock release --cluster ${cluster} --owner ${owner} --run ${run}`;
}

/**
 * A release, some times over: it is safe to repeat, and a backup of the guest that carries the tag forbids
 * writing it for a while. Not where a person has to act.
 */
export async function retryRelease<Result>(act: () => Promise<Result>, clock: Clock): Promise<Result> {
  const pauseMs = (error: unknown, tried: number) =>
    error instanceof Fault && error.kind !== 'refused' ? 1000 * tried : null;
  return retry(clock, { tries: RELEASE_TRIES, pauseMs }, act);
}
