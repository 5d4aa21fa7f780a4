import { runOfFence } from '../fence/mark.js';
import type { Host } from '../host/open.js';
import type { Journal } from '../journal/journal.js';
import { isOtherBoot } from '../journal/records.js';
import type { RunState } from '../journal/state.js';
import { isHeldBy } from '../lock/release.js';
import { bootSeen } from './foreign-boot.js';

/**
 * Whether a run that is unfinished by its journal has ended by what the servers say: the host has booted since, and
 * of the locks and fences that the journal knows none is there. So it is with a state directory that was restored
 * from a backup. What cannot be asked proves nothing.
 */
export async function hasEndedElsewhere(host: Host, run: RunState): Promise<boolean> {
  const { bootBefore, runId, locks, fenced } = run;
  if (!bootBefore || locks.length + fenced.length === 0) return false;
  try {
    const [boot, { datastores }, held] = await Promise.all([
      bootSeen(host.answers(runId)),
      host.pbs.datastoreConfigs(),
      Promise.all(host.clusters.map(({ lock }) => isHeldBy(lock, runId))),
    ]);
    // Its unit is one of that boot.
    const isFenced = datastores.some(({ maintenance }) => runOfFence(maintenance) === runId);
    return isOtherBoot(run.reboot?.before ?? bootBefore.boot, boot) && !isFenced && !held.includes(true);
  } catch {
    return false;
  }
}

/** Journals the end of such a run: the next one is a run of its own. */
export function closeAsEnded(journal: Journal): void {
  journal.append({
    type: 'ended',
    outcome: 'interrupted',
    retryAfter: null,
    error: {
      code: 'run.ended-elsewhere',
      message: `Run ${journal.runId} is unfinished by this journal, and has ended by what the servers say: the host has booted since, and its lock and fence are gone.`,
      hint: 'So it is where the state directory was restored from a backup. Nothing of it is left to do; a new run begins.',
    },
    open: false,
  });
}
