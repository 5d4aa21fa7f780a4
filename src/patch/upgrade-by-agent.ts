import { EXIT, Fault } from '../fault.js';
import { NO_CHANGES, packageChanges, planDigest, readProgress, wholePlan } from '../guest/apt.js';
import type { Guest } from '../guest/exec.js';
import { type Survey, takeSurvey } from '../guest/survey.js';
import { clearUpgrade, startUpgrade, unitName, viewUpgrade } from '../guest/upgrade-unit.js';
import { protectedOn } from '../rules/plan.js';
import type { Run } from './run.js';
import type { ObservedUpgrade, UpgradeMethod } from './upgrade-method.js';

/** The guest agent starts a transient unit; plan, progress and packages are read from inside the guest. */
export function agentMethod(
  run: Run,
  guest: Guest,
  survey: () => Promise<Survey> = () => takeSurvey(guest),
): UpgradeMethod {
  const { runId } = run.journal;
  const { policy, host } = run.host.target;
  let offset = 0;
  let isHalfDone = false;
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
        },
      );
    },
    start: (plan) =>
      startUpgrade(guest, {
        run: runId,
        repairDpkg: policy.repairDpkg,
        cleanup: policy.cleanup,
        protectedPackages: policy.protectedPackages,
        removals: plan.removed.filter(({ by }) => by === 'upgrade').map(({ name }) => name),
        // What a repair leaves to do shows only when it is done.
        planDigest: policy.repairDpkg && isHalfDone ? null : planDigest(plan),
      }),
    async observe() {
      const { unit, status, log } = await viewUpgrade(guest, runId, offset);
      offset += Buffer.byteLength(log);
      return { unit, progress: progressIn(status), log };
    },
    async result() {
      const before = new Map(Object.entries(run.journal.state.baseline?.installed ?? {}));
      const { installedPackages, plan, audit, carriers } = await takeSurvey(guest);
      const { planned } = run.journal.state;
      return {
        changes: packageChanges(before, installedPackages, {
          ...(plan ?? NO_CHANGES),
          removed: planned?.packages.removed ?? [],
        }),
        audit,
        pending: plan ? plan.upgraded.length + plan.installed.length : null,
        isProtected: protectedOn(policy, carriers),
      };
    },
    clear: () => clearUpgrade(guest, runId),
  };
}

/** apt counts to 100 twice; one bar for both, most of it for dpkg. */
function progressIn(status: string): ObservedUpgrade['progress'] {
  const progress = readProgress(status);
  if (!progress) return null;
  const percent = progress.stage === 'download' ? progress.percent * 0.3 : 30 + progress.percent * 0.7;
  return { percent, text: progress.text };
}
