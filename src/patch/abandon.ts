import { formatDuration } from '../config/quantity.js';
import { isEmptyPlan } from '../guest/apt.js';
import { changedNothing } from './follow-upgrade.js';
import { closeRolledBack, hasGoneBack } from './rolled-back.js';
import { note, type Run, warning } from './run.js';
import { giveUp } from './undo.js';
import { methodOf, upgradeStillRuns } from './upgrade.js';
import { notWell } from './verify.js';

/** Gives the unfinished run up: undoes what can be undone, by what the servers say, and starts nothing. */
export async function abandon(run: Run): Promise<void> {
  const { host, journal } = run;
  journal.goOnWithoutDisk();
  const end = (open: boolean) =>
    journal.append({ type: 'ended', outcome: 'abandoned', retryAfter: null, error: null, open });
  if (!journal.state.resumed) {
    note(run, `host "${host.target.host}" has no unfinished run; nothing to give up`);
    return end(false);
  }
  const seen = await upgradeStillRuns(run);
  if (seen !== false) {
    const what = seen ? 'the upgrade still runs' : 'whether the upgrade still runs cannot be seen';
    warning(run, `${what}; fence and lock stay`);
    return end(true);
  }
  if (await hasGoneBack(host, journal.state)) return closeRolledBack(run);
  const isChanged = await hasChanged(run);
  await giveUp(run, isChanged ? await whyFenceStays(run) : null);
  if (isChanged) warning(run, 'packages that were upgraded stay upgraded');
  end(false);
}

/** Whether the run has changed its host. What cannot be seen counts as changed. */
async function hasChanged(run: Run): Promise<boolean> {
  const { upgrade, changes, reboot } = run.journal.state;
  if (reboot !== null) return true;
  if (upgrade === 'not-begun') return false;
  if (upgrade === 'done') return changes === null || !isEmptyPlan(changes);
  return methodOf(run)
    .result()
    .then(
      (result) => !changedNothing(result),
      () => true,
    );
}

/** Null where backups may resume: nothing is about to happen to the host any more, and it passes verify. */
async function whyFenceStays(run: Run): Promise<string | null> {
  const { journal, clock, host } = run;
  const { fenced, reboot } = journal.state;
  if (fenced.length === 0) return null;
  const agoMs = reboot === null ? 0 : clock.now() - Date.parse(reboot.requestedAt);
  if (reboot?.upAt === null && agoMs < host.target.policy.rebootTimeout)
    return `a reboot was requested ${formatDuration(agoMs)} ago and may still come`;
  const problems = await notWell(run);
  return problems && `${host.target.host} was changed and does not pass verify: ${problems}`;
}
