import { EXIT, Fault } from '../fault.js';
import {
  isEmptyPlan,
  NO_CHANGES,
  packageChanges,
  planDigest,
  readProgress,
  wholePlan,
} from '../guest/apt.js';
import { dpkgChanges } from '../guest/dpkg-log.js';
import { evidenceIn } from '../guest/evidence.js';
import type { Guest } from '../guest/exec.js';
import { type Survey, takeSurvey } from '../guest/survey.js';
import { clearUpgrade, startUpgrade, unitName, viewUpgrade, withdrawStart } from '../guest/upgrade-unit.js';
import { protectedOn } from '../rules/upgrade-plan.js';
import type { Run } from './run.js';
import type { ObservedUpgrade, UpgradeMethod, UpgradeResult } from './upgrade-method.js';

/** Two looks, a poll apart: systemd may just be reading its state anew. */
const LOOKS_AT_NOTHING = 2;

/** The guest agent starts a transient unit; plan, progress and packages are read from inside the guest. */
export function agentMethod(
  run: Run,
  guest: Guest,
  survey: () => Promise<Survey> = () => takeSurvey(guest),
): UpgradeMethod {
  const { runId } = run.journal;
  const { policy, host } = run.host.target;
  const attempt = () => ({ run: runId, attempt: run.journal.state.attempts });
  let offset = 0;
  let isHalfDone = false;
  let goneLooks = 0;
  return {
    name: `${unitName(runId)} in the guest`,
    async plan() {
      const { plan, simulationError, autoremove, carriers, audit } = await survey();
      isHalfDone = audit !== '';
      const isProtected = protectedOn(policy, carriers);
      if (plan)
        return { packages: wholePlan(plan, policy.cleanup ? autoremove : [], isProtected), isProtected };
      throw new Fault(
        'upgrade.no-plan',
        `The upgrade cannot be simulated: ${simulationError ?? 'no output'}`,
        {
          hint: `Fix apt on ${host}, then run again.`,
          exitCode: EXIT.tryLater,
          evidence: evidenceIn((simulationError ?? '').split('\n')),
        },
      );
    },
    prepare: async () => null,
    start: (plan) =>
      startUpgrade(guest, {
        ...attempt(),
        repairDpkg: policy.repairDpkg,
        cleanup: policy.cleanup,
        protectedPackages: policy.protectedPackages,
        removals: plan.removed.filter(({ by }) => by === 'upgrade').map(({ name }) => name),
        // What a repair leaves to do shows only when it is done.
        planDigest: policy.repairDpkg && isHalfDone ? null : planDigest(plan),
      }),
    async observe() {
      const { unit, start, startWords, status, log } = await viewUpgrade(guest, attempt(), offset);
      offset += log.length;
      goneLooks = unit.kind === 'gone' ? goneLooks + 1 : 0;
      const isOver = goneLooks >= LOOKS_AT_NOTHING && start !== 'under-way';
      const isSettled = isOver && (start === 'over' || (await withdrawStart(guest, attempt())));
      return {
        unit,
        isSettled,
        progress: progressIn(status),
        log: isSettled && log.length === 0 && startWords !== '' ? `${startWords}\n` : log,
      };
    },
    result: () => resultInGuest(run, guest),
    clear: () => clearUpgrade(guest, runId),
  };
}

/** What the packages of the guest say, whoever has upgraded them. */
export async function resultInGuest(
  run: Run,
  guest: Guest,
  removals = run.journal.state.planned?.packages.removed ?? [],
): Promise<UpgradeResult> {
  const { baseline, planned, upgradeAt } = run.journal.state;
  const before = new Map(Object.entries(baseline?.installed ?? {}));
  const { installedPackages, plan, audit, carriers } = await takeSurvey(guest);
  const known = { ...(plan ?? NO_CHANGES), removed: removals };
  // Where the versions of before are not known, the log of dpkg has them.
  const changes =
    before.size > 0 || upgradeAt === null
      ? packageChanges(before, installedPackages, known)
      : { ...(await dpkgChanges(guest, Date.parse(upgradeAt) / 1000)), held: known.held };
  const pending = plan ? plan.upgraded.length + plan.installed.length : null;
  return {
    changes,
    audit,
    pending,
    hadSomethingToDo: pending !== 0 || (planned !== null && !isEmptyPlan(planned.packages)),
    isProtected: protectedOn(run.host.target.policy, carriers),
    removals,
  };
}

/** apt counts to 100 twice; one bar for both, most of it for dpkg. */
function progressIn(status: string): ObservedUpgrade['progress'] {
  const progress = readProgress(status);
  if (!progress) return null;
  const percent = progress.stage === 'download' ? progress.percent * 0.3 : 30 + progress.percent * 0.7;
  return { percent, text: progress.text };
}
