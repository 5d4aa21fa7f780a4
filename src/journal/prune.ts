import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ErrorDocument, errorDocument } from '../fault.js';
import { postponedInARow } from './owed.js';
import { wholeHistories } from './runs.js';
import { isUnfinished, type RunState } from './state.js';

/**
 * Removes the oldest runs beyond `keep`, except those that are still needed. A failure is returned, not
 * thrown: it never changes the outcome of a run.
 */
export function pruneRuns(stateDir: string, keep: number): ErrorDocument | null {
  try {
    for (const { runId } of prunable(wholeHistories(stateDir), keep))
      rmSync(join(stateDir, 'runs', runId), { recursive: true, force: true });
    return null;
  } catch (error) {
    return errorDocument(error);
  }
}

/** Which runs may go. Pure. @param runs oldest first */
export function prunable(runs: readonly RunState[], keep: number): RunState[] {
  const needed = new Set([...new Set(runs.map(({ host }) => host))].flatMap((host) => neededOf(runs, host)));
  return runs
    .slice(0, Math.max(0, runs.length - keep))
    .filter((run) => !isUnfinished(run) && !needed.has(run));
}

/**
 * A host that is postponed every hour fills the folder within days, for other hosts too. Kept are: whether a
 * reboot is owed, the baseline, when the host was last patched, since when it is postponed, the last
 * postponement that was posted to Slack, and what left a fence or a lock.
 */
function neededOf(runs: readonly RunState[], host: string): RunState[] {
  const own = runs.filter((run) => run.host === host && run.mode === 'patch');
  const outcome = (run: RunState) => run.ended?.outcome;
  const lastOther = own.findLastIndex((run) => run.ended && outcome(run) !== 'postponed');
  const inARow = postponedInARow(own);
  return [
    own.at(-1),
    own[lastOther],
    inARow[0],
    inARow.findLast((run) => run.told !== null),
    own.findLast((run) => outcome(run) === 'patched'),
    own.findLast((run) => run.baseline !== null),
    // A fence or a lock that is still there is this host's to undo.
    ...own.filter(({ fenced, locks }) => fenced.length + locks.length > 0),
  ].filter((run) => run !== undefined);
}
