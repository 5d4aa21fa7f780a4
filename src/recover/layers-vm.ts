import { oneLine } from '../report/layout.js';
import type { Sight } from './sight.js';
import { byCommand, byFlag, list, type Step, type Trouble, todo } from './step.js';

// The layers around and inside the VM. Each is null when it is well, or cannot be judged.

/** Somebody is at it: waiting comes before everything else. */
export function atWork({ host, busy, inside }: Sight): Trouble | null {
  if (busy)
    return {
      problem: `Another pbs-ctl (process ${busy.pid}) works on ${host} right now.`,
      steps: [todo('Wait until it has ended, then look again.')],
    };
  const [run] = inside?.upgrading ?? [];
  if (run === undefined) return null;
  return {
    problem: `The upgrade of run ${run} still goes on inside ${host}.`,
    steps: [
      todo('Wait; neither reset the VM nor restart anything in it.'),
      byCommand('Attach to it and go on with the run.', `pbs-ctl patch --host ${host}`),
    ],
  };
}

/** The cluster and the node under the VM. */
export function node({ host, vm, vmError, proxy }: Sight): Trouble | null {
  if (vm?.nodeOnline === false) {
    return {
      problem: `PVE node ${vm.node}, on which the VM of ${host} (${vm.vmid}) is, is offline.`,
      steps: [
        todo(`Bring ${vm.node} back, or let HA start the VM on another node.`),
        todo('Do not start a copy of the VM elsewhere before the node is surely off.'),
      ],
    };
  }
  if (proxy === 'answers' || !vmError || vm?.status === 'running') return null;
  return {
    problem: `${host} does not answer, and PVE cannot tell why: ${vmError.message}`,
    steps: [todo(vmError.hint ?? 'Look at the PVE cluster first.')],
  };
}

export function vm({ host, vm: seen }: Sight): Trouble | null {
  if (!seen || seen.status === 'unknown') return null;
  const locked = seen.lock
    ? [todo(`PVE has locked it (${seen.lock}): wait until that has ended, nothing can be done before.`)]
    : [];
  if (seen.status !== 'running') {
    return {
      problem: `The VM of ${host} (${seen.vmid} on ${seen.node}) is ${seen.status}.`,
      steps: [...locked, byFlag('Start the VM.', 'start-vm')],
    };
  }
  const state = seen.qmpStatus;
  if (state === null || state === 'running') return null;
  if (seen.lock)
    return {
      problem: `The VM of ${host} is ${state}, under a lock of PVE (${seen.lock}).`,
      steps: locked,
    };
  const disk = state === 'io-error';
  return {
    problem: disk
      ? `The VM of ${host} has been halted by an error of the storage under its disks (io-error).`
      : `The VM of ${host} is running, but its machine is ${state}.`,
    steps: [
      ...(disk ? [todo(`Mend the storage on ${seen.node} first: is it full, or gone?`)] : []),
      byCommand('Look at its console, and resume the VM there.', seen.consoleUrl),
      pullThePlug,
    ],
  };
}

const pullThePlug: Step = byFlag(
  'If nothing else helps, reset it. That is like pulling the plug.',
  'reset-vm',
);

export function silence({ host, vm: seen, agent, proxy, apiError }: Sight): Trouble | null {
  if (proxy !== 'silent' || agent === 'answers') return null;
  if (agent === 'refuses') {
    return {
      problem: `The API of ${host} does not answer; its system is up, since the guest agent is there.`,
      steps: [
        byCommand(
          'Log in on the console and look at the services of PBS.',
          seen ? seen.consoleUrl : 'systemctl status proxmox-backup proxmox-backup-proxy',
        ),
        pullThePlug,
      ],
    };
  }
  if (agent === 'not-asked')
    return {
      problem: `${host} does not answer, and the config names no VM to ask: ${apiError?.message ?? ''}`,
      steps: [todo('Look at its console.')],
    };
  const where = seen ? ` Its VM runs on ${seen.node}.` : '';
  return {
    problem: `${host} does not answer, neither its API nor its guest agent.${where}`,
    steps: [
      byCommand(
        'Look at the screen: emergency mode, a full disk or a missing mount stands there.',
        seen?.consoleUrl ?? null,
      ),
      ...(seen?.lock
        ? [todo(`PVE has locked the VM (${seen.lock}): wait until that has ended.`)]
        : [pullThePlug]),
    ],
  };
}

const FULL_BYTES = 50 * 1024 ** 2;

/** What the guest says of itself. */
export function insides({ host, inside }: Sight): Trouble | null {
  if (!inside) return null;
  const { missingMounts, readOnlyMounts, audit, failedUnits, rootAvailableBytes, state } = inside;
  const [failed] = failedUnits;
  if (readOnlyMounts.length > 0)
    return {
      problem: `${host} has ${list(readOnlyMounts)} mounted read-only: its disk has had errors.`,
      steps: [
        byCommand('See what the kernel says of the disk.', 'journalctl -k -p err'),
        todo('Mend the disk, check the file system, then reboot.'),
      ],
    };
  if (rootAvailableBytes !== null && rootAvailableBytes < FULL_BYTES)
    return {
      problem: `The root file system of ${host} is full (${Math.floor(rootAvailableBytes / 1024 ** 2)} MiB left).`,
      steps: [
        byCommand('Find what fills it.', 'du -xh / | sort -h | tail -n 20'),
        ...(failed ? [byFlag('Then start again what has failed.', 'restart-services')] : []),
      ],
    };
  if (missingMounts.length > 0)
    return {
      problem: `${host} misses ${list(missingMounts)}, which its fstab names.`,
      steps: [
        byCommand('See whether the disk is there at all.', 'lsblk -f'),
        byFlag(`Mount ${list(missingMounts)}.`, 'mount'),
        ...(failed ? [byFlag('Then start again what has failed.', 'restart-services')] : []),
      ],
    };
  if (audit !== '')
    return {
      problem: `Packages on ${host} are half installed: ${oneLine(audit.split('\n')[0] ?? '')}`,
      steps: [
        byCommand(
          'Finish them in the guest, or let the next run do it with policy.repairDpkg.',
          'dpkg --configure -a',
        ),
      ],
    };
  if (failed !== undefined)
    return {
      problem: `Failed on ${host}: ${list(failedUnits)}.`,
      steps: [
        byCommand('See why.', `journalctl -b -u ${failed}`),
        byFlag('Start again what has failed.', 'restart-services'),
      ],
    };
  if (state === 'starting' || state === 'initializing')
    return {
      problem: `${host} is still starting.`,
      steps: [
        todo('Wait a minute, then look again.'),
        byCommand('See what it waits for.', 'systemctl list-jobs'),
      ],
    };
  return null;
}
