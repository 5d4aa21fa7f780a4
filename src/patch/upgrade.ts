import { guestPackages } from '../checks/guest.packages.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import { planDigest as digestOf, isEmptyPlan, type PackageChanges } from '../guest/apt.js';
import type { Survey } from '../guest/survey.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import type { Boot } from '../journal/records.js';
import { poll } from '../poll.js';
import { approvalsFor, isRestOf, refusalOf } from '../rules/upgrade-plan.js';
import { bootLoaderBehind, requireBootLoader, requireKept } from './after-upgrade.js';
import { changedNothing, followToItsEnd, hasBegun } from './follow-upgrade.js';
import { bootSeen } from './foreign-boot.js';
import { beforeUpgrade } from './gate.js';
import { note, type Run } from './run.js';
import { agentMethod } from './upgrade-by-agent.js';
import { serviceMethod } from './upgrade-by-service.js';
import { incomplete, nothingChanged, upgradeFailed } from './upgrade-failures.js';
import type { UpgradeMethod, UpgradeResult } from './upgrade-method.js';

/**
 * The way that the config names.
 * @param survey for the plan, where a look inside the guest has just been taken
 * @throws Fault `upgrade.no-road` (exit 2)
 */
export function methodOf(run: Run, survey?: () => Promise<Survey>): UpgradeMethod {
  const { guest, target } = run.host;
  if (target.upgradeUnit !== null) return serviceMethod(run, target.upgradeUnit);
  if (guest) return agentMethod(run, guest, survey);
  const { host } = target;
  throw new Fault('upgrade.no-road', `The config names no way to upgrade host "${host}".`, {
    hint: `Set hosts.${host}.guest, or hosts.${host}.upgrade to {"via": "service", "unit": …}.`,
    exitCode: EXIT.usage,
  });
}

/**
 * Simulates, refuses what must not happen, upgrades, and makes sure that nothing is left half done. An upgrade
 * that has begun already is followed from wherever it stands.
 * @throws Fault `plan.changed`, `upgrade.removes-protected` (before anything was upgraded, exit 75),
 *   `upgrade.failed`, `upgrade.timeout`, `upgrade.incomplete`
 */
export async function upgrade(run: Run): Promise<string> {
  if (run.journal.state.upgrade === 'begun') return followUpgrade(run);
  if (run.journal.state.bootLoaderFailed) throw bootLoaderBehind(run.host.target.host, []);
  const answers = run.host.answers(run.journal.runId);
  const method = methodOf(run, answers.survey);
  const plan = await planUpgrade(run, method);
  if (isEmptyPlan(plan) && !run.host.target.policy.repairDpkg) {
    const before = await changedBefore(run, method, plan);
    const { changes: packages } = before;
    requireKept(run, packages, before);
    run.journal.append({ type: 'upgraded', packages });
    return 'nothing to upgrade';
  }
  await beforeUpgrade(run, answers);
  await start(run, method, plan, await bootSeen(answers));
  return followUpgrade(run, method);
}

/** Once the start may have arrived, only the unit and the packages say whether it has. */
async function start(run: Run, method: UpgradeMethod, plan: PackageChanges, boot: Boot): Promise<void> {
  const since = await method.prepare();
  run.interruption.throwIfStopped();
  run.journal.append({ type: 'upgrade-intended', boot, since });
  try {
    await method.start(plan);
  } catch (error) {
    if (error instanceof Fault && error.kind === 'unknown') return;
    run.journal.append({ type: 'upgrade-void' });
    throw error;
  }
}

/**
 * Where nothing is left to upgrade since an attempt before had failed halfway and a person has finished the rest:
 * what has changed since the run began, which decides whether it reboots.
 */
async function changedBefore(
  run: Run,
  method: UpgradeMethod,
  plan: PackageChanges,
): Promise<Pick<UpgradeResult, 'changes' | 'isProtected' | 'removals'>> {
  const { changes, upgrade: progress } = run.journal.state;
  if (changes === null && progress !== 'failed') return { changes: plan, isProtected: () => false };
  const now = await method.result();
  // Through a unit only what is planned can be seen to change.
  return { ...now, changes: isEmptyPlan(now.changes) ? (changes ?? plan) : now.changes };
}

/**
 * What would be done, journaled; refused where it must not be, or where it is not approved.
 * @throws Fault `upgrade.removes-protected`, `upgrade.major-release`, `plan.changed`, `plan.needs-approval` (exit 75)
 */
export async function planUpgrade(run: Run, method = methodOf(run)): Promise<PackageChanges> {
  const { policy, host } = run.host.target;
  const { state } = run.journal;
  const { packages, isProtected } = await method.plan();
  const planDigest = digestOf(packages);
  // What remains of a plan that this run has begun is still that plan, and its approval holds.
  const isRest =
    state.upgrade === 'failed' && state.planned !== null && isRestOf(packages, state.planned.packages);
  const approval = isRest ? [] : approvalsFor(packages, policy);
  if (!isRest) run.journal.append({ type: 'planned', packages, planDigest, approval });
  const refusal = refusalOf(packages, isProtected);
  if (refusal)
    throw new Fault(refusal.code, refusal.message, { hint: refusal.hint, exitCode: EXIT.tryLater });
  if (!isRest) requireApproved(run, planDigest, approval, host);
  return packages;
}

function requireApproved(run: Run, digest: string, approval: readonly string[], host: string): void {
  const { requiredPlan, journal } = run;
  if (requiredPlan !== null && !digest.startsWith(requiredPlan)) throw planChanged(host, digest);
  if (approval.length === 0 || requiredPlan !== null || journal.state.mode === 'check') return;
  throw new Fault('plan.needs-approval', `The upgrade ${approval.join(', ')}, which is not approved.`, {
    hint: `Look at the plan, then approve it: pbs-ctl patch --host ${host} --plan ${digest.slice(0, 12)}`,
    exitCode: EXIT.tryLater,
  });
}

/** @throws Fault `plan.changed` where a check has already seen another plan than the one that was approved */
export function requirePlan({ requiredPlan, journal: { state }, host: { target } }: Run): void {
  const seen = state.findings.find(({ id }) => id === guestPackages.id)?.detail.planDigest;
  if (requiredPlan === null || typeof seen !== 'string' || state.upgrade === 'failed') return;
  if (!seen.startsWith(requiredPlan)) throw planChanged(target.host, seen);
}

const planChanged = (host: string, digest: string) =>
  new Fault('plan.changed', `The plan is not the one that was approved: it is ${digest} now.`, {
    hint: `Look at it and approve it: pbs-ctl patch --host ${host} --check`,
    exitCode: EXIT.tryLater,
  });

/** Waits for the upgrade of this run, from wherever it stands. @returns what apt has done */
async function followUpgrade(run: Run, method = methodOf(run)): Promise<string> {
  const { unit, result, lines } = await followToItsEnd(run, method);
  const { changes, audit, pending } = result;
  const { journal } = run;
  const isWell = unit.kind !== 'failed';
  if (changedNothing(result) && (unit.kind !== 'succeeded' || result.hadSomethingToDo)) {
    journal.append({ type: 'upgrade-void' });
    await tidy(run, method, unit);
    throw nothingChanged(run.host.target.host, unit, lines);
  }
  if (!isWell || audit !== '' || pending !== 0) {
    const exitCode = isWell ? 0 : unit.exitCode;
    journal.append({ type: 'upgrade-failed', exitCode, packages: partly(run, changes) });
    await tidy(run, method, unit);
    const { host } = run.host.target;
    throw isWell ? incomplete(host, unit, result, lines) : upgradeFailed(host, unit, audit, lines);
  }
  // A unit that is gone reads like a success; here the packages themselves have proven it.
  await tidy(run, method, unit);
  requireKept(run, changes, result);
  requireBootLoader(run, changes, lines);
  journal.append({ type: 'upgraded', packages: changes });
  const { upgraded, installed, removed } = changes;
  return `${upgraded.length} upgraded, ${installed.length} newly installed, ${removed.length} removed`;
}

/** What is left of the unit does not matter to anything that follows. */
async function tidy(run: Run, method: UpgradeMethod, { kind }: UnitState): Promise<void> {
  if (kind === 'gone') return;
  await method
    .clear()
    .catch((error) => note(run, `the ended unit could not be taken away: ${errorDocument(error).message}`));
}

/** A package that is half installed is not there, and not removed either. */
function partly({ journal }: Run, changes: PackageChanges): PackageChanges {
  const planned = journal.state.planned?.packages.removed ?? [];
  const isPlanned = (name: string) => planned.some((each) => each.name === name);
  return { ...changes, removed: changes.removed.filter(({ name }) => isPlanned(name)) };
}

/**
 * Journals that an upgrade which was intended has never begun. A run of which the process died between intent
 * and request begins again.
 */
export async function noteVoidUpgrade(run: Run): Promise<void> {
  if (await hasBegun(run, methodOf(run))) return;
  run.journal.append({ type: 'upgrade-void' });
}

/** Longest patience of a run that is given up with an upgrade of which nothing can be seen. */
const ABANDON_MS = 30_000;

/** @returns null where it cannot be seen */
export async function upgradeStillRuns(run: Run): Promise<boolean | null> {
  if (run.journal.state.upgrade !== 'begun') return false;
  const { clock, interruption, host } = run;
  const method = methodOf(run);
  const polling = {
    everyMs: host.target.policy.pollInterval,
    limitMs: ABANDON_MS,
    signal: interruption.signal,
  };
  const unit = await poll(clock, polling, async () => {
    const seen = await method.observe().catch(() => null);
    return seen && (seen.unit.kind !== 'gone' || seen.isSettled) ? seen.unit : null;
  });
  return unit && unit.kind === 'running';
}
