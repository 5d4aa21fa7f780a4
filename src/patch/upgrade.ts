import { guestPackages } from '../checks/guest.packages.js';
import { EXIT, Fault } from '../fault.js';
import { planDigest as digestOf, isEmptyPlan, type PackageChanges } from '../guest/apt.js';
import type { Survey } from '../guest/survey.js';
import { UPGRADE_EXIT } from '../guest/upgrade-script.js';
import type { UnitState } from '../guest/upgrade-unit.js';
import { poll } from '../poll.js';
import { approvalsFor, isRestOf, lostPackages, refusalOf } from '../rules/plan.js';
import { beforeUpgrade } from './gate.js';
import { type Run, step } from './run.js';
import { agentMethod } from './upgrade-by-agent.js';
import { serviceMethod } from './upgrade-by-service.js';
import type { ObservedUpgrade, UpgradeMethod, UpgradeResult } from './upgrade-method.js';

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
  const answers = run.host.answers(run.journal.runId);
  const method = methodOf(run, answers.survey);
  const plan = await planUpgrade(run, method);
  if (isEmptyPlan(plan) && !run.host.target.policy.repairDpkg) {
    const { changes: packages, isProtected } = await changedBefore(run, method, plan);
    requireKept(run, packages, isProtected);
    run.journal.append({ type: 'upgraded', packages });
    return 'nothing to upgrade';
  }
  await beforeUpgrade(run, answers);
  run.interruption.protect('the upgrade is running');
  run.journal.append({ type: 'upgrade-intended' });
  try {
    await method.start(plan);
  } catch (error) {
    // Whether a start without an answer that can be read arrived shows at the next look.
    const code = error instanceof Fault ? error.code : '';
    if (REFUSED_TO_START.has(code) && !(await hasArrived(method).catch(() => true)))
      run.journal.append({ type: 'upgrade-void' });
    if (!['outcome.unknown', 'api.unreadable'].includes(code)) throw error;
  }
  return followUpgrade(run, method);
}

/**
 * Where nothing is left to upgrade since an attempt before had failed halfway and a person has finished the rest:
 * what has changed since the run began, which decides whether it reboots.
 */
async function changedBefore(
  run: Run,
  method: UpgradeMethod,
  plan: PackageChanges,
): Promise<Pick<UpgradeResult, 'changes' | 'isProtected'>> {
  const { changes, upgrade: progress } = run.journal.state;
  if (changes === null && progress !== 'failed') return { changes: plan, isProtected: () => false };
  const now = await method.result();
  // Through a unit only what is planned can be seen to change.
  return { ...now, changes: isEmptyPlan(now.changes) ? (changes ?? plan) : now.changes };
}

/** Nothing was started, nor will be later: the run is undone as if it had ended before its upgrade. */
const REFUSED_TO_START = new Set([
  'upgrade.not-started',
  'agent.blocked',
  'agent.disabled',
  'agent.frozen',
  'agent.vm-stopped',
  'api.forbidden',
  'net.unreachable',
]);

/**
 * What would be done, journaled; refused where it must not be, or where nobody has approved it.
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
  throw new Fault('plan.needs-approval', `The upgrade ${approval.join(', ')}, which nobody has approved.`, {
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

/** Waits for the upgrade of this run, from wherever it stands, and tells what apt tells. */
export async function followUpgrade(run: Run, method = methodOf(run)): Promise<string> {
  const { pollInterval: everyMs, upgradeTimeout: limitMs } = run.host.target.policy;
  const { interruption, clock } = run;
  interruption.protect('the upgrade is running');
  const ended = await poll(clock, { everyMs, limitMs, signal: interruption.signal }, async () => {
    const unit = (await observe(run, method))?.unit;
    return unit?.kind === 'running' ? null : unit;
  });
  if (!ended) throw timedOut(run, method);
  // What it has written since.
  while ((await observe(run, method))?.log) {}
  return judgeResult(run, method, ended);
}

/** A look that fails during an upgrade is normal: what is asked may just be restarting. Only the deadline ends the patience. */
async function observe(run: Run, method: UpgradeMethod): Promise<ObservedUpgrade | null> {
  try {
    const seen = await method.observe();
    run.journal.keep('apt.log', seen.log);
    if (seen.progress) step(run, 'upgrade', seen.progress.percent, seen.progress.text);
    return seen;
  } catch (error) {
    if (!(error instanceof Fault) || !/^(agent|net|outcome|pbs\.daemon)/.test(error.code)) throw error;
    step(run, 'upgrade', null, `no answer about it at the moment (${error.code})`);
    return null;
  }
}

async function judgeResult(run: Run, method: UpgradeMethod, unit: UnitState): Promise<string> {
  const { changes, audit, pending, isProtected } = await method.result();
  const { planned } = run.journal.state;
  const isPlanned = (name: string) => planned?.packages.removed.some((each) => each.name === name) ?? false;
  // A package that is half installed is not there, and not removed either.
  const partly = { ...changes, removed: changes.removed.filter(({ name }) => isPlanned(name)) };
  if (unit.kind === 'failed') {
    const isUntouched = audit === '' && isEmptyPlan(changes);
    if (isUntouched) run.journal.append({ type: 'upgrade-void' });
    else run.journal.append({ type: 'upgrade-failed', exitCode: unit.exitCode, packages: partly });
    await method.clear();
    throw isUntouched ? nothingChanged(run, unit) : upgradeFailed(run, unit, audit);
  }
  if (audit !== '' || pending !== 0) {
    run.journal.append({ type: 'upgrade-failed', exitCode: 0, packages: partly });
    await method.clear();
    throw incomplete(run, unit, audit, pending);
  }
  // A unit that is gone reads like a success; here the packages themselves have proven it.
  await method.clear();
  requireKept(run, changes, isProtected);
  run.journal.append({ type: 'upgraded', packages: changes });
  const { upgraded, installed, removed } = changes;
  return `${upgraded.length} upgraded, ${installed.length} newly installed, ${removed.length} removed`;
}

/**
 * Journals that an upgrade which was intended has never begun. A run of which the process died between intent
 * and request begins again.
 */
export async function noteVoidUpgrade(run: Run): Promise<void> {
  if (run.journal.state.upgrade !== 'begun' || (await hasArrived(methodOf(run)))) return;
  run.journal.append({ type: 'upgrade-void' });
}

/** Whether an upgrade that was intended has left any trace: a unit or a changed package. */
async function hasArrived(method: UpgradeMethod): Promise<boolean> {
  if ((await method.observe()).unit.kind !== 'gone') return true;
  const { changes, audit } = await method.result();
  return audit !== '' || !isEmptyPlan(changes);
}

export const upgradeStillRuns = async (run: Run): Promise<boolean> =>
  run.journal.state.upgrade === 'begun' && (await methodOf(run).observe()).unit.kind === 'running';

const isPveNode = (host: string) =>
  new Fault('upgrade.pve-node', `${host} is a PVE node: its reboot would take down every guest on it.`, {
    hint: 'The upgrade script refused, and nothing was changed. pbs-ctl patches machines that are a PBS only.',
    exitCode: EXIT.tryLater,
  });

function timedOut(run: Run, method: UpgradeMethod): Fault {
  const { target } = run.host;
  return new Fault(
    'upgrade.timeout',
    `The upgrade has not ended after upgradeTimeout; ${method.name} goes on, fence and lock stay.`,
    { hint: `pbs-ctl never kills a running dpkg. Attach again: pbs-ctl patch --host ${target.host}` },
  );
}

/** What the script refuses by itself, a moment after the plan was made. */
const REFUSED_BY_SCRIPT: Readonly<Record<number, string>> = {
  [UPGRADE_EXIT.simulationFailed]: 'upgrade.no-plan',
  [UPGRADE_EXIT.removesProtected]: 'upgrade.removes-protected',
  [UPGRADE_EXIT.majorRelease]: 'upgrade.major-release',
  [UPGRADE_EXIT.removesMore]: 'plan.changed',
  [UPGRADE_EXIT.planChanged]: 'plan.changed',
};

/** It failed before it changed anything: undone, and tried again later. */
function nothingChanged(run: Run, unit: Extract<UnitState, { kind: 'failed' }>): Fault {
  const { host } = run.host.target;
  if (unit.exitCode === UPGRADE_EXIT.pveNode) return isPveNode(host);
  const code = unit.signal ? undefined : REFUSED_BY_SCRIPT[unit.exitCode];
  return new Fault(
    code ?? 'upgrade.nothing-changed',
    `The upgrade ${howItEnded(unit)} before it changed any package.`,
    {
      hint:
        code === undefined
          ? `Fix the cause on ${host}, then: pbs-ctl patch --host ${host}`
          : `Look at the plan: pbs-ctl patch --host ${host} --check`,
      exitCode: EXIT.tryLater,
    },
  );
}

const howItEnded = ({ signal, exitCode }: Extract<UnitState, { kind: 'failed' }>) =>
  signal ? `was killed by signal ${exitCode}` : `ended with exit code ${exitCode}`;

function upgradeFailed(run: Run, unit: Extract<UnitState, { kind: 'failed' }>, audit: string): Fault {
  const { host } = run.host.target;
  return new Fault(
    'upgrade.failed',
    `The upgrade ${howItEnded(unit)}${audit === '' ? '' : '; packages are left half configured'}.`,
    { hint: howToFix(run, host) },
  );
}

function incomplete(run: Run, unit: UnitState, audit: string, pending: number | null): Fault {
  const seen =
    audit !== ''
      ? `dpkg --audit reports: ${audit.split('\n')[0]}`
      : `${pending ?? 'unknown'} packages still wait`;
  const what =
    unit.kind === 'gone'
      ? 'The upgrade vanished (was the host restarted?)'
      : 'The upgrade finished without errors but is incomplete';
  return new Fault('upgrade.incomplete', `${what}: ${seen}.`, { hint: howToFix(run, run.host.target.host) });
}

/**
 * What was really removed has to be what the plan said, whatever apt did: before the reboot.
 * @throws Fault `upgrade.removed`
 */
function requireKept(run: Run, changes: PackageChanges, isProtected: (name: string) => boolean): void {
  const { host } = run.host.target;
  const lost = lostPackages(changes, run.journal.state.planned?.packages ?? null, isProtected);
  if (lost.length === 0) return;
  if (run.journal.state.upgrade === 'begun')
    run.journal.append({ type: 'upgrade-failed', exitCode: 0, packages: changes });
  throw new Fault(
    'upgrade.removed',
    `The upgrade removed packages that should have stayed: ${lost.join(', ')}. ${host} is not rebooted.`,
    {
      hint: `In the guest, install them again: apt-get install ${lost.map((each) => each.split(' ')[0]).join(' ')}. Then: pbs-ctl patch --host ${host}`,
    },
  );
}

const howToFix = (run: Run, host: string) =>
  `Read apt.log in ${run.journal.folder}, see how the host stands (pbs-ctl recover --host ${host}), fix its packages, then: pbs-ctl patch --host ${host}`;
