import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { installedKernels } from '../guest/kernels.js';
import type { Answers } from '../host/answers.js';
import { isoFromMs } from '../moment.js';
import { bootableWithoutGuest } from '../rules/kernel.js';
import { type Kernels, rebootDecision } from '../rules/reboot.js';
import { bootSeen } from './foreign-boot.js';
import { beforeReboot } from './gate.js';
import { finishReboot, type Run } from './run.js';

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
  if (reboot === 'always' || reboot === 'never') return NOT_ASKED;
  if (!target.guest) {
    const [{ kernel }, packages] = await Promise.all([pbs.nodeStatus(), pbs.packages()]);
    const installed = packages.filter((each) => each.installed !== null).map(({ name }) => name);
    return {
      running: kernel,
      installed: bootableWithoutGuest(kernel, installedKernels(installed)),
      pinned: null,
      required: false,
    };
  }
  const { kernel, installedPackages, pinned, rebootRequired } = await survey();
  return {
    running: kernel,
    installed: installedKernels(installedPackages.keys()),
    pinned,
    required: rebootRequired,
  };
}

const NOT_ASKED: Kernels = { running: '', installed: [], pinned: null, required: false };

/**
 * Goes through the gate, journals the intent and requests the reboot, once. A lost answer may mean that the
 * request arrived: then only the boot itself can tell, and nothing is sent again.
 * @throws Fault `reboot.no-longer-fits` (exit 75), `lock.*`, or the refusal of the server
 */
export async function reboot(run: Run): Promise<string> {
  const { pbs, target } = run.host;
  const answers = await beforeReboot(run);
  // All of it answered a moment ago, for the gate.
  const boot = await bootSeen(answers);
  const uptimeMs = boot.uptimeSeconds * 1000;
  const early = target.policy.minRebootInterval - uptimeMs;
  if (early > 0) throw tooSoon(target.host, uptimeMs, run.clock.now() + early);
  finishReboot(run);
  run.journal.append({ type: 'reboot-intended', boot });
  try {
    await pbs.reboot();
    return 'requested';
  } catch (error) {
    // Without a connection it was hardly carried out; only the boot itself knows.
    if (!(error instanceof Fault) || error.kind === 'refused') throw error;
    return 'requested; the answer was lost, so only the boot itself shows whether it arrived';
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
