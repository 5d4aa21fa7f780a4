import { CHECKS } from '../checks/catalogue.js';
import { retryAfter, runChecks } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { compareKernels, installedKernels } from '../guest/apt.js';
import type { Answers } from '../host/answers.js';
import type { RunState } from '../journal/state.js';
import { isoFromMs } from '../moment.js';
import { overridden } from '../rules/override.js';
import { type Run, requireLock } from './run.js';

/** `required`: something in the guest asks for a reboot. */
export interface Kernels {
  readonly running: string;
  readonly installed: readonly string[];
  readonly required: boolean;
}

/** Whether this run reboots, and why (not). Pure. */
export function rebootDecision(
  mode: 'always' | 'after-upgrade' | 'when-required' | 'never',
  state: Pick<RunState, 'changes' | 'owesReboot'>,
  kernels: Kernels,
): { readonly reboot: boolean; readonly why: string } {
  const changed = (state.changes?.upgraded.length ?? 0) + (state.changes?.installed.length ?? 0);
  const newest = [...kernels.installed].sort(compareKernels).at(-1);
  const newer = newest !== undefined && compareKernels(newest, kernels.running) > 0;
  if (mode === 'never') return { reboot: false, why: 'no reboot, by policy' };
  if (mode === 'always') return { reboot: true, why: 'policy: always' };
  if (state.owesReboot) return { reboot: true, why: 'an earlier run left the reboot pending' };
  if (mode === 'after-upgrade')
    return { reboot: changed > 0, why: changed > 0 ? 'packages were upgraded' : 'nothing was upgraded' };
  if (newer) return { reboot: true, why: `kernel ${newest} is installed, ${kernels.running} runs` };
  if (kernels.required) return { reboot: true, why: 'the guest asks for a reboot' };
  const base = state.changes?.upgraded.find(({ name }) => NEEDS_REBOOT.test(name));
  if (base)
    return {
      reboot: true,
      why: `${base.name} was upgraded, which running programs still use in its old form`,
    };
  return { reboot: false, why: 'nothing requires a reboot' };
}

/** Libraries and services that everything uses: only a boot replaces them everywhere. */
const NEEDS_REBOOT =
  /^(libc6|libssl|openssl|systemd|libsystemd|dbus|zfs|libzfs|libstdc|intel-microcode|amd64-microcode)/;

export async function decideReboot(run: Run): Promise<{ reboot: boolean; why: string }> {
  const answers = run.host.answers(run.journal.runId);
  return rebootDecision(run.host.target.policy.reboot, run.journal.state, await kernelsOf(answers));
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
 * Looks a last time, journals the intent and asks for the reboot, once. A lost answer may mean that the
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
    return 'asked for';
  } catch (error) {
    if (!(error instanceof Fault && MAY_HAVE_ARRIVED.has(error.code))) throw error;
    return 'asked for; the answer was lost, so the boot itself has to tell';
  }
}

/** An answer that cannot be read was given all the same: by whom, and before or after what, is not known. */
const MAY_HAVE_ARRIVED = new Set(['outcome.unknown', 'api.unreadable', 'pbs.daemon-down', 'net.timeout']);

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
    .map((finding) => overridden(finding, run.ignoredWindow))
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
    if (!(cause instanceof Fault && cause.code.startsWith('lock.'))) throw cause;
    const { host } = run.host.target;
    throw new Fault(cause.code, cause.message, {
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
