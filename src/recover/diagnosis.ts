import type { Sight } from './sight.js';

export type RecoverFlag =
  | 'start-vm'
  | 'reset-vm'
  | 'mount'
  | 'restart-services'
  | 'lift-fence'
  | 'release-lock';

export interface Step {
  readonly text: string;
  /** The flag of `recover` that does it, where one can. */
  readonly flag: RecoverFlag | null;
  /** A command to run, where that is it. */
  readonly command: string | null;
}

export interface Diagnosis {
  readonly healthy: boolean;
  /** What is wrong, in one sentence. */
  readonly problem: string;
  /** What to do, in this order. */
  readonly steps: readonly Step[];
}

const step = (text: string, flag: RecoverFlag | null = null, command: string | null = null): Step => ({
  text,
  flag,
  command,
});

/** What is wrong and what to do, from outside in: the first layer that fails explains those within. Pure. */
export function diagnose(sight: Sight): Diagnosis {
  const found = outermost(sight);
  const ends = loose(sight);
  if (found)
    return { healthy: false, problem: found.problem, steps: [...found.steps, ...ends.map(afterwards)] };
  if (ends.length > 0) {
    const [run] = [...sight.fences.map((each) => each.run), ...sight.locks.map((each) => each.run)];
    return {
      healthy: true,
      problem: `${sight.host} is healthy; run ${run} has left something behind.`,
      steps: ends,
    };
  }
  return { healthy: true, problem: `Nothing is wrong with ${sight.host}.`, steps: [] };
}

const afterwards = ({ text, flag, command }: Step): Step => step(`Afterwards: ${text}`, flag, command);

function outermost(sight: Sight): { problem: string; steps: Step[] } | null {
  return vm(sight) ?? silence(sight) ?? inside(sight) ?? api(sight) ?? datastores(sight) ?? rest(sight);
}

function vm({ host, vm, vmError, proxy }: Sight): { problem: string; steps: Step[] } | null {
  if (vmError && proxy === 'silent')
    return {
      problem: `Neither ${host} nor PVE can say anything: ${vmError.message}`,
      steps: [step(vmError.hint ?? 'Look at the PVE cluster first.')],
    };
  if (!vm) return null;
  if (vm.status !== 'running') {
    return {
      problem: `The VM of ${host} (${vm.vmid} on ${vm.node}) is ${vm.status}.`,
      steps: [
        ...(vm.lock ? [step(`It is locked by PVE (${vm.lock}): wait until that has ended.`)] : []),
        step('Start the VM.', 'start-vm'),
      ],
    };
  }
  if (vm.qmpStatus !== null && vm.qmpStatus !== 'running') {
    return {
      problem: `The VM of ${host} is running, but its machine is ${vm.qmpStatus}.`,
      steps: [
        step('Look at its console and at the storage under it.', null, vm.consoleUrl),
        step('If nothing else helps: reset it, which is like pulling the plug.', 'reset-vm'),
      ],
    };
  }
  return null;
}

function silence({ host, vm, agent, proxy }: Sight): { problem: string; steps: Step[] } | null {
  if (proxy === 'answers' || agent === 'answers') return null;
  const where = vm ? ` Its VM runs on ${vm.node}.` : '';
  return {
    problem: `${host} does not answer, neither its API nor its guest agent.${where}`,
    steps: [
      step(
        'Look at the screen: emergency mode, a full disk or a missing mount stands there.',
        null,
        vm?.consoleUrl ?? null,
      ),
      step('If it hangs and nothing else helps: reset it, which is like pulling the plug.', 'reset-vm'),
    ],
  };
}

function inside({ host, inside }: Sight): { problem: string; steps: Step[] } | null {
  if (!inside) return null;
  if (inside.missingMounts.length > 0) {
    return {
      problem: `${host} misses ${list(inside.missingMounts)}, which its fstab names.`,
      steps: [
        step('See whether the disk is there at all.', null, 'lsblk'),
        step(`Mount ${list(inside.missingMounts)}.`, 'mount'),
      ],
    };
  }
  if (inside.audit !== '') {
    return {
      problem: `Packages on ${host} are half installed: ${inside.audit.split('\n')[0]}.`,
      steps: [
        step(
          'Finish them in the guest, or let the next run do it with policy.repairDpkg.',
          null,
          'dpkg --configure -a',
        ),
      ],
    };
  }
  if (inside.failedUnits.length > 0) {
    return {
      problem: `On ${host} has failed: ${list(inside.failedUnits)}.`,
      steps: [
        step('See why.', null, `journalctl -b -u ${inside.failedUnits[0]}`),
        step('Start them again.', 'restart-services'),
      ],
    };
  }
  return null;
}

function api({
  host,
  proxy,
  daemon,
  servicesDown,
  apiError,
}: Sight): { problem: string; steps: Step[] } | null {
  if (apiError?.code.startsWith('api.'))
    return {
      problem: `${host} refuses: ${apiError.message}`,
      steps: [step(apiError.hint ?? 'Mend the token.')],
    };
  if (proxy === 'silent')
    return {
      problem: `The system of ${host} runs, its API does not answer.`,
      steps: [step('Restart the services of PBS.', 'restart-services')],
    };
  if (daemon === 'silent')
    return {
      problem: `The proxy of ${host} answers, the daemon behind it does not.`,
      steps: [step('Restart the services of PBS.', 'restart-services')],
    };
  if (servicesDown.length > 0)
    return {
      problem: `On ${host} is not running: ${list(servicesDown)}.`,
      steps: [step('Start them again.', 'restart-services')],
    };
  return null;
}

function datastores({ host, datastores: stores }: Sight): { problem: string; steps: Step[] } | null {
  const broken = stores.filter(({ state }) => state !== 'ok');
  if (broken.length === 0) return null;
  return {
    problem: `${host} cannot use ${broken.map(({ name, state }) => `${name} (${state})`).join(', ')}.`,
    steps: [
      step('Look at the disk and the path of the datastore.', null, 'proxmox-backup-manager datastore list'),
    ],
  };
}

function rest({ host, verification }: Sight): { problem: string; steps: Step[] } | null {
  if (!verification || verification.ok) return null;
  const blocks = verification.findings.filter(({ status }) => status === 'block');
  return {
    problem: `${host} is not as it was before the last run: ${blocks.map(({ summary }) => summary).join('; ')}.`,
    steps: [step('Mend that on the host, then look again.', null, `pbs-ctl verify --host ${host}`)],
  };
}

/** What a run has left behind. A run that can be gone on with takes it back itself, once verify passes. */
function loose({ host, fences, locks, unfinishedRun }: Sight): Step[] {
  if (fences.length + locks.length === 0) return [];
  if (unfinishedRun !== null)
    return [
      step(
        `Go on with run ${unfinishedRun}: it verifies, lifts its fence and gives back its lock.`,
        null,
        `pbs-ctl patch --host ${host}`,
      ),
    ];
  return [
    ...(fences.length > 0
      ? [step(`Lift the fence on ${list(fences.map(({ datastore }) => datastore))}.`, 'lift-fence')]
      : []),
    ...(locks.length > 0
      ? [step(`Release the lock of ${list(locks.map(({ cluster }) => cluster))}.`, 'release-lock')]
      : []),
  ];
}

const list = (names: readonly string[]) => names.join(', ');
