import { guestAgent } from '../checks/guest.agent.js';
import { listsAsOf } from '../checks/host-state.js';
import { isoFromSeconds } from '../moment.js';
import { foreseen, type Unfinished } from '../rules/foresee.js';
import { outcomeOf } from '../rules/outcome.js';
import { safeUntil } from '../schedule/look-ahead.js';
import { NotSafe } from './gate.js';
import { preflight } from './preflight.js';
import { kernelsOf } from './reboot.js';
import { phase, type Run, warning } from './run.js';
import { methodOf, planUpgrade } from './upgrade.js';
import { end } from './workflow.js';

/**
 * `--check`: every check and the simulated upgrade; changes nothing at all.
 * @param unfinished what `patch` would continue
 */
export async function checkOnly(run: Run, unfinished: Unfinished | null): Promise<void> {
  try {
    await phase(run, 'preflight', () => preflight(run));
    await plan(run, unfinished, run.ignoredWindow === null);
    end(run, 'checked', null);
  } catch (error) {
    // What would be upgraded is worth knowing also where it is not the time for it.
    const canLook = run.journal.state.findings.some(
      ({ id, status }) => id === guestAgent.id && status !== 'block',
    );
    if (error instanceof NotSafe && canLook) await plan(run, unfinished, false).catch(() => {});
    end(run, outcomeOf(error), error);
  }
}

const NOT_SEEN =
  'PBS lists neither what the upgrade would remove nor what autoremove takes; the script on the host refuses what it must not do, and prints its plan in its journal';

/** Packages and steps of the run that would follow, from what the checks have seen a moment ago. */
async function plan(run: Run, unfinished: Unfinished | null, isTime: boolean): Promise<void> {
  const { target, answers: look } = run.host;
  const answers = look(run.journal.runId, run.cache);
  const packages = await planUpgrade(run, methodOf(run, answers.survey));
  if (target.upgradeUnit !== null) warning(run, NOT_SEEN);
  const [datastores, kernels, lists, safe] = await Promise.all([
    answers.pbs.datastores(),
    kernelsOf(answers),
    listsAsOf(answers),
    // The checks have said that it is safe now; for how long is worth no failure.
    isTime ? safeUntil(answers).catch(() => null) : null,
  ]);
  for (const each of safe?.unknown ?? []) warning(run, `How long it stays safe is not known: ${each}`);
  const { owesReboot } = run.journal.state;
  const known = { ...target, datastores, plan: packages, kernels, owesReboot, unfinished };
  run.journal.append({
    type: 'foreseen',
    would: foreseen(known),
    safeUntil: safe?.until ? isoFromSeconds(safe.until) : null,
    updatesAsOf: lists === null ? null : isoFromSeconds(lists),
  });
}
