import { installedNow } from '../checks/host-state.js';
import type { Host } from '../host/open.js';
import type { RunState } from '../journal/state.js';
import { isRolledBack } from '../rules/rolled-back.js';
import { bootSeen } from './foreign-boot.js';
import { type Run, warning } from './run.js';
import { giveUp } from './undo.js';

/** Whether the machine is as it was before an unfinished run. One that does not answer now is taken as it is. */
export async function hasGoneBack(host: Host, run: RunState): Promise<boolean> {
  if (run.changes === null) return false;
  const answers = host.answers(run.runId);
  try {
    const [boot, installed] = await Promise.all([bootSeen(answers), installedNow(answers)]);
    return isRolledBack(run, { boot, installed });
  } catch {
    return false;
  }
}

/** Nothing of the run is left in the machine: what it has left elsewhere is undone, and the next run is a new one. */
export async function closeRolledBack(run: Run): Promise<void> {
  const { journal, host } = run;
  journal.append({ type: 'rolled-back' });
  warning(
    run,
    `${host.target.host} was rolled back to before run ${journal.runId}, as to a snapshot of its VM: it has booted again with the packages of then. This run is closed; the next patch begins a new one`,
  );
  await giveUp(run, null);
  journal.append({ type: 'ended', outcome: 'abandoned', retryAfter: null, error: null, open: false });
}
