import { EXIT, Fault } from '../fault.js';
import { isEmptyPlan, packageChanges, planDigest, readProgress } from '../guest/apt.js';
import type { Guest } from '../guest/exec.js';
import { takeSurvey } from '../guest/survey.js';
import {
  clearUpgrade,
  startUpgrade,
  type UnitState,
  UPGRADE_EXIT,
  type UpgradeView,
  unitName,
  viewUpgrade,
} from '../guest/upgrade-unit.js';
import type { PackageChanges } from '../report/document.js';
import { type Run, record, requireLock, stateOfRun, step } from './run.js';

/**
 * Simulates, refuses what must not happen, upgrades, and makes sure that nothing is left half done.
 * @throws Fault `plan.changed`, `upgrade.removes-protected` (before anything was upgraded, exit 75),
 *   `upgrade.failed`, `upgrade.timeout`, `upgrade.incomplete`
 */
export async function upgrade(run: Run): Promise<string> {
  const guest = guestOf(run);
  const { policy } = run.site.target;
  const plan = await planUpgrade(run, guest);
  if (isEmptyPlan(plan) && !policy.repairDpkg) {
    record(run, { type: 'upgraded', packages: plan });
    return 'nothing to upgrade';
  }
  await requireLock(run);
  run.interruption.protect('the upgrade is running in the guest');
  record(run, { type: 'upgrade-intended' });
  await startUpgrade(guest, {
    run: run.journal.runId,
    repairDpkg: policy.repairDpkg,
    cleanup: policy.cleanup,
    protectedPackages: policy.protectedPackages,
  });
  return followUpgrade(run);
}

/** What would be done, journaled; refused where it must not be. */
export async function planUpgrade(run: Run, guest: Guest): Promise<PackageChanges> {
  const { policy, host } = run.site.target;
  const { plan, simulationError } = await takeSurvey(guest);
  if (!plan) {
    throw new Fault('upgrade.no-plan', `The upgrade cannot be simulated: ${simulationError ?? 'no output'}`, {
      hint: `Mend apt on ${host}, then run again.`,
      exitCode: EXIT.tryLater,
    });
  }
  const digest = planDigest(plan);
  record(run, { type: 'planned', packages: plan, planDigest: digest });
  const lost = plan.removed.filter(({ name }) => policy.protectedPackages.includes(name));
  if (lost.length > 0) throw removesProtected(lost.map(({ name }) => name));
  if (run.requiredPlan !== null && run.requiredPlan !== digest) {
    throw new Fault('plan.changed', `The plan is not the one that was approved: it is ${digest} now.`, {
      hint: `Look at it and approve it: pbs-ctl patch --host ${host} --check`,
      exitCode: EXIT.tryLater,
    });
  }
  return plan;
}

/** Waits for the unit of this run, from wherever it stands, and tells what apt tells. */
export async function followUpgrade(run: Run): Promise<string> {
  const guest = guestOf(run);
  const { policy } = run.site.target;
  run.interruption.protect('the upgrade is running in the guest');
  const deadline = run.clock.monotonic() + policy.upgradeTimeout;
  let offset = 0;
  for (;;) {
    const view = await lookAtUpgrade(run, guest, offset);
    if (view) {
      offset += Buffer.byteLength(view.log);
      run.journal.keep('apt.log', view.log);
      tellProgress(run, view.status);
      if (view.unit.kind !== 'running') {
        await drainLog(run, guest, offset);
        return settle(run, guest, view.unit);
      }
    }
    run.interruption.throwIfStopped();
    if (run.clock.monotonic() > deadline) throw timedOut(run);
    await run.clock.sleep(policy.pollInterval, run.interruption.signal);
  }
}

/** A look that fails during an upgrade is normal: the agent may just be restarting. Only the deadline ends the patience. */
async function lookAtUpgrade(run: Run, guest: Guest, offset: number): Promise<UpgradeView | null> {
  try {
    return await viewUpgrade(guest, run.journal.runId, offset);
  } catch (error) {
    if (!(error instanceof Fault) || !/^(agent|net|outcome)\./.test(error.code)) throw error;
    step(run, 'upgrade', null, `the guest agent does not answer at the moment (${error.code})`);
    return null;
  }
}

async function drainLog(run: Run, guest: Guest, offset: number): Promise<void> {
  for (let at = offset; ; ) {
    const { log } = await viewUpgrade(guest, run.journal.runId, at);
    if (log === '') return;
    run.journal.keep('apt.log', log);
    at += Buffer.byteLength(log);
  }
}

async function settle(run: Run, guest: Guest, unit: UnitState): Promise<string> {
  const before = new Map(Object.entries(stateOfRun(run).baseline?.installed ?? {}));
  const survey = await takeSurvey(guest);
  const changes = packageChanges(before, survey.installedPackages, survey.plan?.held ?? []);
  if (unit.kind === 'failed') {
    record(run, { type: 'upgrade-failed', exitCode: unit.exitCode });
    await clearUpgrade(guest, run.journal.runId);
    throw failed(run, unit, survey.audit);
  }
  const pending = survey.plan ? survey.plan.upgraded.length + survey.plan.installed.length : null;
  if (survey.audit !== '' || pending !== 0) {
    record(run, { type: 'upgrade-failed', exitCode: 0 });
    await clearUpgrade(guest, run.journal.runId);
    throw incomplete(run, unit, survey.audit, pending);
  }
  // A unit that is gone reads like a success; here the packages themselves have proven it.
  await clearUpgrade(guest, run.journal.runId);
  record(run, { type: 'upgraded', packages: changes });
  const { upgraded, installed, removed } = changes;
  return `${upgraded.length} upgraded, ${installed.length} newly installed, ${removed.length} removed`;
}

function tellProgress(run: Run, status: string): void {
  const progress = readProgress(status);
  if (!progress) return;
  // apt counts to 100 twice; one bar for both, most of it for dpkg.
  const percent = progress.stage === 'download' ? progress.percent * 0.3 : 30 + progress.percent * 0.7;
  step(run, 'upgrade', percent, progress.text);
}

function guestOf(run: Run): Guest {
  const { guest, target } = run.site;
  if (guest) return guest;
  throw new Fault(
    'upgrade.no-guest',
    `Host "${target.host}" names no guest, so there is no way to upgrade it.`,
    {
      hint: `Set hosts.${target.host}.guest.`,
      exitCode: EXIT.usage,
    },
  );
}

const removesProtected = (names: readonly string[]) =>
  new Fault('upgrade.removes-protected', `The upgrade would remove ${names.join(', ')}, which must stay.`, {
    hint: 'Look at the repositories and held packages of the host: usually a half-switched release or a broken mirror.',
    exitCode: EXIT.tryLater,
  });

function timedOut(run: Run): Fault {
  const { target } = run.site;
  return new Fault(
    'upgrade.timeout',
    `The upgrade has not ended after upgradeTimeout; ${unitName(run.journal.runId)} goes on in the guest, fence and lock stay.`,
    {
      hint: `pbs-ctl never kills a running dpkg. Attach again: pbs-ctl patch --host ${target.host}`,
    },
  );
}

function failed(run: Run, unit: Extract<UnitState, { kind: 'failed' }>, audit: string): Fault {
  const { host } = run.site.target;
  if (unit.exitCode === UPGRADE_EXIT.removesProtected)
    return removesProtected(run.site.target.policy.protectedPackages);
  const how = unit.signal ? `was killed by signal ${unit.exitCode}` : `ended with exit code ${unit.exitCode}`;
  return new Fault(
    'upgrade.failed',
    `The upgrade ${how}${audit === '' ? '' : '; packages are left half configured'}.`,
    {
      hint: `Read apt.log in ${run.journal.folder}, mend the packages on ${host}, then: pbs-ctl patch --host ${host}`,
    },
  );
}

function incomplete(run: Run, unit: UnitState, audit: string, pending: number | null): Fault {
  const { host } = run.site.target;
  const seen =
    audit !== ''
      ? `dpkg --audit reports: ${audit.split('\n')[0]}`
      : `${pending ?? 'unknown'} packages still wait`;
  const what =
    unit.kind === 'gone'
      ? 'The upgrade vanished (was the guest restarted?)'
      : 'The upgrade ended well, yet is not complete';
  return new Fault('upgrade.incomplete', `${what}: ${seen}.`, {
    hint: `Read apt.log in ${run.journal.folder}, mend the packages on ${host}, then: pbs-ctl patch --host ${host}`,
  });
}
