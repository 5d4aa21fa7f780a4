import { formatDuration } from '../config/quantity.js';
import { mayActBeside } from '../rules/beside-run.js';
import { stepsBack } from '../rules/changed-by-run.js';
import { byCommand, byFlag, type Step, todo } from '../rules/steps.js';
import type { ObservedHost } from './observed.js';
import { list, type Trouble, trouble } from './trouble.js';

// Around the VM, from outside in.

const pullThePlug: Step = byFlag(
  'If nothing else helps, reset it. That is like pulling the plug.',
  'reset-vm',
);

/** Another process is at work: wait before anything else. */
export function atWork(observed: ObservedHost): Trouble | null {
  const { host, busy, inside, servicesDown } = observed;
  if (busy) {
    const { pid, run, phase, longestMs } = busy;
    const what = run === null ? '' : `: run ${run}, phase "${phase}"`;
    const atMost = longestMs === null ? '' : `, ${formatDuration(longestMs)} at most`;
    const missing = inside?.missingMounts ?? [];
    const down = [...(inside?.failedUnits ?? []), ...servicesDown];
    return trouble(
      `Another pbs-ctl (process ${pid}) works on ${host} right now${what}.`,
      ...(mayActBeside(['mount'], phase) && missing.length > 0
        ? [byFlag(`Mount ${missing.join(', ')} meanwhile: the run takes it up.`, 'mount')]
        : []),
      ...(mayActBeside(['restart-services'], phase) && down.length > 0
        ? [byFlag(`Restart ${down.join(', ')} meanwhile: the run takes it up.`, 'restart-services')]
        : []),
      todo(`Wait until it has ended${atMost}, then look again.`),
    );
  }
  const [run] = inside?.upgrading ?? [];
  if (run === undefined) return null;
  return trouble(
    `The upgrade of run ${run} still runs inside ${host}.`,
    todo('Wait. Do not reset the VM or restart anything in it.'),
    byCommand('Attach to it and continue the run.', `pbs-ctl patch --host ${host}`),
  );
}

/** The cluster and the node under the VM. */
export function node({ host, vm, vmError, proxy }: ObservedHost): Trouble | null {
  if (vm?.nodeOnline === false) {
    return trouble(
      `PVE node ${vm.node}, on which the VM of ${host} (${vm.vmid}) is, is offline.`,
      todo(`Bring ${vm.node} back, or let HA start the VM on another node.`),
      todo('Do not start the VM elsewhere by hand before the node is certain to be off.'),
    );
  }
  if (proxy === 'answers' || !vmError || vm?.status === 'running') return null;
  return trouble(
    `${host} does not answer, and PVE cannot say why: ${vmError.message}`,
    todo(vmError.hint ?? 'Look at the PVE cluster first.'),
  );
}

export function vm({ host, vm: seen }: ObservedHost): Trouble | null {
  if (!seen || seen.status === 'unknown') return null;
  const locked = seen.lock
    ? [todo(`PVE has locked it (${seen.lock}): wait until that has ended; nothing can be done before.`)]
    : [];
  if (seen.status !== 'running') {
    const ended = (seen.troubles ?? []).filter(({ blocks }) => blocks);
    const why = ended.length > 0 ? `: ${ended.map(({ summary }) => summary).join('; ')}` : '';
    return trouble(
      `The VM of ${host} (${seen.vmid} on ${seen.node}) is ${seen.status}${why}.`,
      ...locked,
      ...ended.map(({ set }) =>
        set === null
          ? todo('Take that out of its config first.')
          : byCommand(`First change that, on ${seen.node}.`, `qm set ${seen.vmid} ${set}`),
      ),
      byFlag('Start the VM.', 'start-vm'),
    );
  }
  const state = seen.qmpStatus;
  if (state === null || state === 'running') return null;
  if (seen.lock)
    return trouble(`The VM of ${host} is ${state}, under a lock of PVE (${seen.lock}).`, ...locked);
  const disk = state === 'io-error';
  return trouble(
    disk
      ? `The VM of ${host} is halted: the storage of its disks reported an error (io-error).`
      : `The VM of ${host} is running, but its CPUs are not (${state}).`,
    ...(disk ? [todo(`Fix the storage on ${seen.node} first: is it full, or gone?`)] : []),
    byCommand('Look at its console, and resume the VM there.', seen.consoleUrl),
    pullThePlug,
  );
}

/** Its reboot was requested: it goes down and comes up, or does not. */
export function rebooting({
  host,
  vm: seen,
  unfinishedRun,
  resumption,
  agent,
  proxy,
}: ObservedHost): Trouble | null {
  if (resumption?.kind === 'wait')
    return trouble(
      `${host} reboots for run ${unfinishedRun}: ${resumption.why}.`,
      byCommand('Look again later; its console shows the boot.', seen?.consoleUrl ?? null),
    );
  if (resumption?.kind !== 'swallowed') return null;
  return trouble(
    `${host} has not rebooted for run ${unfinishedRun}: ${resumption.why}. A request is not repeated.`,
    ...(agent === 'answers' || proxy === 'answers'
      ? [byCommand('See what keeps it up.', 'systemctl list-jobs')]
      : []),
    byCommand('Reboot it, in the guest or in the web UI of PBS.', 'systemctl reboot'),
    byFlag('If it does not go down, reset it. That is like pulling the plug.', 'reset-vm'),
    byCommand(
      'Once it has rebooted, this verifies, lifts the fence and releases the lock.',
      `pbs-ctl patch --host ${host}`,
    ),
  );
}

export function silence(observed: ObservedHost): Trouble | null {
  const { host, vm: seen, agent, proxy, apiError, unfinishedRun, changed, passphrases = [] } = observed;
  if (proxy !== 'silent' || agent === 'answers') return null;
  if (agent === 'refuses') {
    return trouble(
      `The API of ${host} does not answer; its system is up, since the guest agent is there.`,
      byCommand(
        'Log in on the console and look at the services of PBS.',
        seen ? seen.consoleUrl : 'systemctl status proxmox-backup proxmox-backup-proxy',
      ),
      pullThePlug,
    );
  }
  if (agent === 'not-asked')
    return trouble(
      `${host} does not answer, and the config names no VM to ask: ${apiError?.message ?? ''}`,
      todo('Look at its console.'),
    );
  const where = seen ? ` Its VM runs on ${seen.node}.` : '';
  if (passphrases.length > 0)
    return trouble(
      `${host} does not answer after its reboot.${where} It asks for the passphrase of ${list(passphrases)} at its boot.`,
      byCommand('Type it on its console. A reset only makes it ask again.', seen?.consoleUrl ?? null),
    );
  return trouble(
    `${host} does not answer, neither its API nor its guest agent.${where}`,
    byCommand(
      'Look at its console: it shows emergency mode, a full disk or a missing mount.',
      seen?.consoleUrl ?? null,
    ),
    // A run that has ended has booted into what it installed.
    ...(unfinishedRun === null ? [] : stepsBack(changed, seen?.consoleUrl ?? null)),
    ...(seen?.lock
      ? [todo(`PVE has locked the VM (${seen.lock}): wait until that has ended.`)]
      : [pullThePlug]),
  );
}
