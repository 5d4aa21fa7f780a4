import { errorDocument } from '../fault.js';
import { releaseOwn } from '../lock/lease.js';
import { isHeldBy } from '../lock/release.js';
import { forgetLifted, unfence } from './fence.js';
import { unlock } from './lock.js';
import { type Run, warning } from './run.js';
import { methodOf } from './upgrade.js';

/** Takes back the fence of a run that ends here; what cannot be undone stays in the report. */
export async function undoFence(run: Run): Promise<void> {
  if (!run.journal.state.timeline.some(({ phase }) => phase === 'fence')) return;
  await unfence(run).catch((error) =>
    warning(run, `the fence could not be lifted: ${errorDocument(error).message}`),
  );
}

/** Gives back the lock of a run that ends here, also one that it may hold without knowing. */
export async function undoLock(run: Run): Promise<void> {
  if (run.lease) await unlock(run);
  else if (!mayHoldLocks(run)) return;
  // The tag may be that of another process, which is at work.
  else if (run.sole) await releaseOrphanedLocks(run);
  else await reportOrphanedLocks(run);
}

/** A lock that was taken while its answer was lost, or before the process died, only the tag itself tells of. */
async function releaseOrphanedLocks(run: Run): Promise<void> {
  const { host, clock, journal } = run;
  for (const { name, lock } of host.clusters) {
    try {
      await releaseOwn(lock, { run: journal.runId }, clock);
      if (journal.state.locks.includes(name)) journal.append({ type: 'unlocked', cluster: name });
    } catch (error) {
      journal.append({ type: 'locked', cluster: name, expiresAt: 0 });
      warning(run, unknownLock(name, error));
    }
  }
}

/** Where locks stay: what may have been taken is in the report, and the next run continues. */
export async function reportOrphanedLocks(run: Run): Promise<void> {
  const { host, journal } = run;
  if (run.lease || !mayHoldLocks(run)) return;
  for (const { name, lock } of host.clusters) {
    if (journal.state.locks.includes(name)) continue;
    try {
      if (!(await isHeldBy(lock, journal.runId))) continue;
    } catch (error) {
      warning(run, unknownLock(name, error));
    }
    journal.append({ type: 'locked', cluster: name, expiresAt: 0 });
  }
}

export const mayHoldLocks = ({ journal }: Run): boolean =>
  journal.state.timeline.some(({ phase }) => phase === 'lock');

const unknownLock = (cluster: string, error: unknown) =>
  `whether the lock of cluster "${cluster}" was taken is not known: ${errorDocument(error).message}`;

/**
 * What an unfinished run has left is undone as far as it may be.
 * @param fenceStays why the fence is not lifted; null where it is
 */
export async function giveUp(run: Run, fenceStays: string | null): Promise<void> {
  const { host, journal, clock } = run;
  if (fenceStays === null) await attempt(run, 'the fence', () => unfence(run));
  else {
    await attempt(run, 'the fence', () => forgetLifted(run));
    const how = `pbs-ctl recover --host ${host.target.host} --lift-fence --force`;
    if (journal.state.fenced.length > 0)
      warning(
        run,
        `the fence stays: ${fenceStays}. The next run lifts it once verify passes; to lift it all the same:\n${how}`,
      );
  }
  for (const { name, lock } of host.clusters) {
    await attempt(run, `the lock of cluster "${name}"`, async () => {
      await releaseOwn(lock, { run: journal.runId }, clock);
      journal.append({ type: 'unlocked', cluster: name });
    });
  }
  await attempt(run, 'the upgrade unit', () => methodOf(run).clear());
}

async function attempt(run: Run, what: string, act: () => Promise<unknown>): Promise<void> {
  try {
    await act();
  } catch (error) {
    warning(run, `${what} could not be undone: ${errorDocument(error).message}`);
  }
}
