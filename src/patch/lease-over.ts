import { EXIT, Fault } from '../fault.js';
import type { Host } from '../host/open.js';
import type { RunState } from '../journal/state.js';
import { look } from '../lock/look.js';
import { isoFromMs } from '../moment.js';
import type { Clock } from '../world.js';

/**
 * A run whose process may live on a machine that cannot be asked is resumed only once its lease has ended: it holds
 * the lock until then, and changes nothing without it.
 * @param who the processes that may be at work on it
 * @throws Fault `state.unknown-process` (exit 75), and those of a cluster that does not answer
 */
export async function requireLeaseOver(
  { target, clusters }: Pick<Host, 'target' | 'clusters'>,
  run: Pick<RunState, 'runId' | 'lastAt' | 'ended'>,
  who: string,
  clock: Pick<Clock, 'now'>,
): Promise<void> {
  // Its end was written by the process that had it.
  if (run.ended !== null) return;
  const seen = await Promise.all(
    clusters.map(async ({ lock }) => {
      const { counts, others } = await look(lock);
      return [...(counts ? [counts] : []), ...others];
    }),
  );
  const own = seen
    .flat()
    .flatMap(({ lock, expired }) =>
      lock !== 'unreadable' && lock.run === run.runId ? [{ until: lock.expiresAt * 1000, expired }] : [],
    );
  // Before it has a lock, or where that was broken, only its silence tells.
  const longest = Math.max(...clusters.map(({ config }) => config.lock.ttl), 0);
  const silentUntil = Date.parse(run.lastAt) + longest;
  const until = own.length > 0 ? Math.max(...own.map((each) => each.until)) : silentUntil;
  const isOver = own.length > 0 ? own.every(({ expired }) => expired) : silentUntil <= clock.now();
  if (isOver) return;
  throw new Fault(
    'state.unknown-process',
    `Run ${run.runId} of ${target.host} may be at work in ${who}, which cannot be asked from here; it may hold the lock until ${isoFromMs(until)}.`,
    {
      hint: `Once that is over, the next patch resumes the run: pbs-ctl patch --host ${target.host}`,
      exitCode: EXIT.tryLater,
      retryAfter: isoFromMs(until),
    },
  );
}
