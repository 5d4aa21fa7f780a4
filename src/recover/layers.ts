import { byState } from '../checks/host-state.js';
import { byCommand, byFlag, type Step, todo } from '../rules/steps.js';
import { symptomsOf } from '../rules/symptoms.js';
import type { ObservedHost } from './observed.js';

/** What is wrong with a layer in one sentence, and what to do. */
export interface Trouble {
  readonly problem: string;
  readonly steps: readonly Step[];
}

export const list = (names: readonly string[]): string => names.join(', ');
const trouble = (problem: string, ...steps: Step[]): Trouble => ({ problem, steps });
const pullThePlug: Step = byFlag(
  'If nothing else helps, reset it. That is like pulling the plug.',
  'reset-vm',
);

/** From outside in: the first layer with a problem explains those within it. */
export const LAYERS: ReadonlyArray<(observed: ObservedHost) => Trouble | null> = [
  atWork,
  node,
  vm,
  silence,
  insides,
  api,
  apiAnswers,
  datastores,
  agentOnly,
  difference,
];

// Around and inside the VM.

/** Another process is at work: wait before anything else. */
export function atWork({ host, busy, inside }: ObservedHost): Trouble | null {
  if (busy)
    return trouble(
      `Another pbs-ctl (process ${busy.pid}) works on ${host} right now.`,
      todo('Wait until it has ended, then look again.'),
    );
  const [run] = inside?.upgrading ?? [];
  if (run === undefined) return null;
  return trouble(
    `The upgrade of run ${run} still runs inside ${host}.`,
    todo('Wait. Do not reset the VM or restart anything in it.'),
    byCommand('Attach to it and continue the run.', `pbs-ctl patch --host ${host}`),
  );
}

/** The cluster and the node under the VM. */
function node({ host, vm, vmError, proxy }: ObservedHost): Trouble | null {
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

function vm({ host, vm: seen }: ObservedHost): Trouble | null {
  if (!seen || seen.status === 'unknown') return null;
  const locked = seen.lock
    ? [todo(`PVE has locked it (${seen.lock}): wait until that has ended; nothing can be done before.`)]
    : [];
  if (seen.status !== 'running') {
    return trouble(
      `The VM of ${host} (${seen.vmid} on ${seen.node}) is ${seen.status}.`,
      ...locked,
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

function silence({ host, vm: seen, agent, proxy, apiError }: ObservedHost): Trouble | null {
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
  return trouble(
    `${host} does not answer, neither its API nor its guest agent.${where}`,
    byCommand(
      'Look at its console: it shows emergency mode, a full disk or a missing mount.',
      seen?.consoleUrl ?? null,
    ),
    ...(seen?.lock
      ? [todo(`PVE has locked the VM (${seen.lock}): wait until that has ended.`)]
      : [pullThePlug]),
  );
}

/** What shows inside: by the same rules as for preflight, gates and verify. */
function insides({ host, inside, stores, verification }: ObservedHost): Trouble | null {
  if (!inside) return null;
  const found = symptomsOf(inside, new Map(stores));
  // Whether backups rest on a unit that failed is a finding of verify; without one any may be the cause.
  const counts = found.filter(({ blocks, kind }) => blocks || (kind === 'failed-units' && !verification));
  const [first] = counts;
  if (first) {
    const restart = found.some(({ kind }) => kind === 'failed-units') && first.kind !== 'failed-units';
    return trouble(
      `${host}: ${counts.map(({ summary }) => summary).join('; ')}.`,
      ...first.steps,
      ...(restart && RESTARTS.has(first.kind)
        ? [byFlag('Then restart what failed.', 'restart-services')]
        : []),
    );
  }
  const { state } = inside;
  if (state === 'starting' || state === 'initializing')
    return trouble(
      `${host} is still starting.`,
      todo('Wait a minute, then look again.'),
      byCommand('See what it waits for.', 'systemctl list-jobs'),
    );
  return null;
}

/** Once these are settled, what had failed by them can start. */
const RESTARTS: ReadonlySet<string> = new Set(['full', 'not-mounted']);

// PBS itself, once its system is up.

function api({ host, proxy, daemon, servicesDown, apiError }: ObservedHost): Trouble | null {
  if (proxy === 'refuses')
    return trouble(
      `${host} is up, but refuses: ${apiError?.message ?? 'no reason given'}`,
      todo(apiError?.hint ?? 'Fix the token.'),
    );
  if (proxy === 'silent')
    return trouble(
      `The system of ${host} is up, but its API does not answer.`,
      byCommand('See why.', 'journalctl -b -u proxmox-backup-proxy.service'),
      byFlag('Restart the services of PBS.', 'restart-services'),
      todo('If they are running: check the network and the firewall in between.'),
    );
  if (daemon === 'silent')
    return trouble(
      `The proxy of ${host} answers, but its daemon (proxmox-backup.service) does not.`,
      byCommand('See why.', 'journalctl -b -u proxmox-backup.service'),
      byFlag('Restart the services of PBS.', 'restart-services'),
    );
  if (servicesDown.length > 0)
    return trouble(
      `Not running on ${host}: ${list(servicesDown)}.`,
      byCommand('See why.', `journalctl -b -u ${servicesDown[0]}`),
      byFlag('Start it again.', 'restart-services'),
    );
  return null;
}

function apiAnswers({ host, apiError }: ObservedHost): Trouble | null {
  if (!apiError) return null;
  return trouble(
    `${host} does not answer everything: ${apiError.message}`,
    todo(apiError.hint ?? 'Look at its journal.'),
  );
}

function datastores({ host, datastores: stores, foreignModes }: ObservedHost): Trouble | null {
  const broken = stores.filter(({ state }) => state !== 'ok');
  if (broken.length === 0) return null;
  const offline = broken.filter(({ name }) =>
    foreignModes.some(({ datastore, type }) => datastore === name && type !== 'read-only'),
  );
  if (offline.length === broken.length) {
    const modes = foreignModes.map(
      ({ datastore, type, message }) => `${datastore} to ${type}${message ? ` ("${message}")` : ''}`,
    );
    return trouble(
      `Another user has set ${list(modes)} on ${host}.`,
      todo('Ask them: pbs-ctl lifts only fences of its own runs.'),
    );
  }
  return trouble(
    `${host} cannot use ${list(byState(broken).map(([names, state]) => `${names} (${state})`))}.`,
    byCommand(
      'Look at its disk and its path.',
      `proxmox-backup-manager datastore show ${broken[0]?.name ?? ''}`,
    ),
  );
}

/** PBS is well, but a run needs the guest agent. */
function agentOnly({ host, agent, agentError, vm }: ObservedHost): Trouble | null {
  if (agent === 'answers' || agent === 'not-asked') return null;
  if (agentError?.code.startsWith('net.'))
    return trouble(
      `PBS on ${host} is well, but PVE cannot be asked about its VM: ${agentError.message}`,
      todo(agentError.hint ?? 'Look at the PVE cluster first.'),
    );
  return trouble(
    `PBS on ${host} is well, but its guest agent ${agent === 'silent' ? 'does not answer' : 'refuses'}: ${agentError?.message ?? ''}`,
    todo(agentError?.hint ?? 'Look at qemu-guest-agent.service in the guest.'),
    ...(agent === 'silent'
      ? [byCommand('On its console: systemctl restart qemu-guest-agent', vm?.consoleUrl ?? null)]
      : []),
  );
}

/** Well, but not as it was before the last run. */
function difference({ host, verification }: ObservedHost): Trouble | null {
  if (!verification || verification.ok) return null;
  const blocks = verification.findings.filter(({ status }) => status === 'block');
  return trouble(
    `${host} is not as it was before the last run: ${blocks.map(({ summary }) => summary).join('; ')}.`,
    byCommand('Fix that on the host, then check again.', `pbs-ctl verify --host ${host}`),
  );
}
