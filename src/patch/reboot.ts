import { CHECKS } from '../checks/catalogue.js';
import { retryAfter, runChecks } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { installedKernels } from '../guest/apt.js';
import type { Answers } from '../host/answers.js';
import { LockFault } from '../lock/lock.js';
import { isoFromMs } from '../moment.js';
import { type Kernels, rebootDecision } from '../rules/reboot.js';
import { softened } from '../rules/softened.js';
import { type Run, requireLock } from './run.js';

/** Why this run does not reboot; null where it does. */
export async function whyNoReboot(run: Run): Promise<string | null> {
  const answers = run.host.answers(run.journal.runId);
  const { policy } = run.host.target;
  const { reboot: needed, why } = rebootDecision(policy.reboot, run.journal.state, await kernelsOf(answers));
  return needed ? null : why;
}

/** What the decision to reboot rests on; nothing is asked where the policy alone decides. */
export async function kernelsOf({ target, pbs, survey }: Answers): Promise<Kernels> {
  const { reboot } = target.policy;
  if (reboot === 'always' || reboot === 'never') return { running: '', installed: [], required: false };
  if (!target.guest) {
    const [{ kernel }, packages] = await Promise.all([pbs.nodeStatus(), pbs.packages()]);
    const installed = packages.filter((each) => each.installed !== null).map(({ name }) => name);
    return { running: kernel, installed: installedKernels(installed), required: false };
  }
  const { kernel, installedPackages, rebootRequired } = await survey();
  return {
    running: kernel,
    installed: installedKernels(installedPackages.keys()),
    required: rebootRequired,
  };
}

const LAST_LOOK = new Set([
  'pbs.tasks',
  'pbs.jobs',
  'pve.backups',
  'pve.schedule',
  'policy.window',
  'guest.vm',
]);

/**
 * Looks a last time, journals the intent and requests the reboot, once. A lost answer may mean that the
 * request arrived: then only the boot itself can tell, and nothing is sent again.
 * @throws Fault `reboot.no-longer-fits` (exit 75), `lock.*`, or the refusal of the server
 */
export async function reboot(run: Run): Promise<string> {
  const { pbs, target } = run.host;
  const answers = run.host.answers(run.journal.runId);
  // Before the last look, since what is asked inside the guest takes its time.
  const bootId = await bootIdOf(run);
  const [{ uptimeSeconds }, { epochSeconds }] = await Promise.all([
    answers.pbs.nodeStatus(),
    answers.pbs.time(),
    stillFits(run, answers),
  ]);
  const early = target.policy.minRebootInterval - uptimeSeconds * 1000;
  if (early > 0) throw tooSoon(target.host, uptimeSeconds * 1000, run.clock.now() + early);
  await stillLocked(run);
  run.interruption.protect('the host is rebooting');
  const boot = { bootTime: epochSeconds - uptimeSeconds, bootId, uptimeSeconds };
  run.journal.append({ type: 'reboot-intended', boot });
  try {
    await pbs.reboot();
    return 'requested';
  } catch (error) {
    // Without a connection it was hardly carried out; only the boot itself knows.
    if (!(error instanceof Fault) || error.kind === 'refused') throw error;
    return 'requested; the answer was lost, so the boot itself has to tell';
  }
}

/** Null where the guest does not tell: then the boot is told by its time. */
async function bootIdOf({ host: { guest, target } }: Run): Promise<string | null> {
  return (await guest?.pve.agent.bootId(guest.vmid, target.policy.requestTimeout).catch(() => null)) ?? null;
}

async function stillFits(run: Run, answers: Answers): Promise<void> {
  const { target } = run.host;
  const elapsed = run.clock.now() - Date.parse(run.journal.state.startedAt);
  // What is left of the time a run was expected to take, and at least the third that a reboot may need.
  const { maintenanceDuration } = target.policy;
  const rest = Math.max(maintenanceDuration - elapsed, maintenanceDuration / 3);
  const shortened: Answers = {
    ...answers,
    target: { ...target, policy: { ...target.policy, maintenanceDuration: rest } },
  };
  const findings = await runChecks(
    CHECKS.filter(({ id }) => LAST_LOOK.has(id)),
    shortened,
  );
  const blocked = findings
    .map((finding) => softened(finding, { ignoredWindow: run.ignoredWindow }))
    .filter(({ status }) => status === 'block');
  if (blocked.length === 0) return;
  run.journal.append({ type: 'checked', findings: blocked });
  throw new Fault(
    'reboot.no-longer-fits',
    `The reboot no longer fits: ${blocked.map(({ summary }) => summary).join('; ')}.`,
    {
      hint: `The packages are installed; the next run reboots: pbs-ctl patch --host ${target.host}`,
      exitCode: EXIT.tryLater,
      retryAfter: retryAfter(blocked),
    },
  );
}

/** Without the lock there is no reboot, and none is needed now: what is installed stays, and the next run reboots. */
async function stillLocked(run: Run): Promise<void> {
  try {
    await requireLock(run);
  } catch (cause) {
    if (!(cause instanceof LockFault)) throw cause;
    const { host } = run.host.target;
    throw new LockFault(cause.code, cause.message, {
      hint: `${cause.hint ?? 'Look at the lock.'} The packages are installed; the next run reboots: pbs-ctl patch --host ${host}`,
      exitCode: EXIT.tryLater,
    });
  }
}

const tooSoon = (host: string, uptimeMs: number, retryAt: number) =>
  new Fault(
    'reboot.too-soon',
    `${host} booted ${formatDuration(uptimeMs)} ago, less than minRebootInterval.`,
    {
      hint: `The next run reboots: pbs-ctl patch --host ${host}`,
      exitCode: EXIT.tryLater,
      retryAfter: isoFromMs(retryAt),
    },
  );
