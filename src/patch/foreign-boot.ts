import { Fault } from '../fault.js';
import type { PackageChanges } from '../guest/apt.js';
import { dpkgChanges } from '../guest/dpkg-log.js';
import { installedKernels } from '../guest/kernels.js';
import { readUnitJournal } from '../guest/unit-journal.js';
import type { Answers } from '../host/answers.js';
import type { Boot } from '../journal/records.js';
import { poll } from '../poll.js';
import { rebootVerdict } from '../rules/boot.js';
import { type Kernels, rebootDecision } from '../rules/reboot.js';
import { type Run, step, warning } from './run.js';

type SeenBoot = Boot & { readonly uptimeSeconds: number };

/** The boot of now, from what a round has asked a moment ago. */
export async function bootSeen({ pbs, target, survey }: Answers): Promise<SeenBoot> {
  const [{ uptimeSeconds }, { epochSeconds }, inside] = await Promise.all([
    pbs.nodeStatus(),
    pbs.time(),
    target.guest ? survey().catch(() => null) : null,
  ]);
  return { bootTime: epochSeconds - uptimeSeconds, bootId: inside?.bootId ?? null, uptimeSeconds };
}

/**
 * Whether the host has booted since its upgrade without having been asked to by this run. Then that is the reboot
 * of this run, whatever the policy says: it is not requested, and it has to be verified before anything is lifted.
 * @returns why no reboot is requested; null where there was no such boot
 * @throws Fault where the host does not answer for `rebootTimeout`: it may be booting just then
 */
export async function foreignBoot(run: Run): Promise<string | null> {
  const { journal, clock, host } = run;
  const before = journal.state.bootBefore;
  if (!before) return null;
  const { boot, epochSeconds } = await bootNow(run);
  const elapsed = (clock.now() - Date.parse(before.seenAt)) / 1000;
  const api = { uptimeSeconds: boot.uptimeSeconds, epochSeconds };
  if (rebootVerdict(before.boot, elapsed, { api, bootId: boot.bootId }) !== 'rebooted') return null;
  const owes = await owedSince(run, boot);
  journal.append({ type: 'boot-found', boot, owes });
  warning(
    run,
    `${host.target.host} has booted since its upgrade, and not at the request of this run: it counts as the reboot`,
  );
  return 'the host has booted already, not at the request of this run';
}

async function bootNow(run: Run): Promise<{ boot: SeenBoot; epochSeconds: number }> {
  const { clock, interruption, host } = run;
  const { pbs, guest, target } = host;
  const { pollInterval, rebootTimeout, requestTimeout } = target.policy;
  let failure: unknown;
  const found = await poll(
    clock,
    { everyMs: pollInterval, limitMs: rebootTimeout, signal: interruption.signal },
    async () => {
      try {
        const [{ uptimeSeconds }, { epochSeconds }] = await Promise.all([pbs.nodeStatus(), pbs.time()]);
        return { uptimeSeconds, epochSeconds };
      } catch (error) {
        if (!(error instanceof Fault) || error.denied !== null) throw error;
        failure = error;
        step(run, 'reboot', null, `${target.host} does not answer`);
        return null;
      }
    },
  );
  if (!found) throw failure;
  const bootId = (await guest?.pve.agent.bootId(guest.vmid, requestTimeout).catch(() => null)) ?? null;
  const { uptimeSeconds, epochSeconds } = found;
  return { boot: { bootTime: epochSeconds - uptimeSeconds, bootId, uptimeSeconds }, epochSeconds };
}

/** Why what was installed since that boot asks for another; null where nothing does. */
async function owedSince(run: Run, { bootTime }: Boot): Promise<string | null> {
  const { policy } = run.host.target;
  if (policy.reboot === 'never') return null;
  try {
    const { changes, ...kernels } = await installedSince(run, bootTime);
    const installed = installedKernels([...changes.upgraded, ...changes.installed].map(({ name }) => name));
    const { reboot, why } = rebootDecision(
      'when-required',
      { changes, owesReboot: false },
      { ...kernels, installed },
    );
    return reboot ? why : null;
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    return `what was installed since that boot is not known: ${error.message}`;
  }
}

async function installedSince(
  { host: { pbs, guest, target, answers }, journal }: Run,
  bootTime: number,
): Promise<Pick<Kernels, 'running' | 'pinned' | 'required'> & { readonly changes: PackageChanges }> {
  if (guest) {
    const changes = await dpkgChanges(guest, 'boot');
    const { kernel, pinned, rebootRequired } = await answers(journal.runId).survey();
    return { running: kernel, pinned, required: rebootRequired, changes };
  }
  const [{ kernel }, { utcOffset }] = await Promise.all([pbs.nodeStatus(), pbs.time()]);
  const unit = target.upgradeUnit ?? '';
  const { changes } = readUnitJournal(await pbs.unitLog(unit, bootTime, utcOffset ?? 0), unit);
  return { running: kernel, pinned: null, required: false, changes };
}
