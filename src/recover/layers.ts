import { byState } from '../checks/host-state.js';
import { byCommand, byFlag, todo } from '../rules/steps.js';
import { symptomsOf } from '../rules/symptoms.js';
import { acceptStep, stepsFor } from './fix-finding.js';
import { atWork, node, rebooting, silence, vm } from './layers-of-vm.js';
import type { ObservedHost } from './observed.js';
import { list, type Trouble, trouble } from './trouble.js';

/** From outside in: the first layer with a problem explains those within it. */
export const LAYERS: ReadonlyArray<(observed: ObservedHost) => Trouble | null> = [
  atWork,
  node,
  vm,
  rebooting,
  silence,
  insides,
  api,
  apiAnswers,
  datastores,
  agentOnly,
  difference,
];

// Inside the VM.

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

function api({ host, proxy, daemon, servicesDown, apiError, addressGone }: ObservedHost): Trouble | null {
  if (proxy === 'refuses')
    return trouble(
      `${host} is up, but refuses: ${apiError?.message ?? 'no reason given'}`,
      todo(apiError?.hint ?? 'Fix the token.'),
    );
  if (proxy === 'silent' && addressGone)
    return trouble(
      `The system of ${host} is up, but cannot be reached: ${addressGone}.`,
      byCommand(
        'On its console, compare the interfaces with the configuration.',
        'ip -br address; cat /etc/network/interfaces',
      ),
      byCommand('Correct the configuration, then load it.', 'ifreload -a'),
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

/** Well, but not as it was before the last run: the steps of each finding, and last the way to answer for it. */
function difference(observed: ObservedHost): Trouble | null {
  const { host, verification, unfinishedRun, resumption } = observed;
  // What was before a run that is gone is nothing to compare with.
  if (!verification || verification.ok || resumption?.kind === 'closes') return null;
  const blocks = verification.findings.filter(({ status }) => status === 'block');
  const steps = blocks.flatMap((finding) => stepsFor(finding, observed));
  const accepts = unfinishedRun === null ? [] : blocks.flatMap((finding) => acceptStep(host, finding));
  return {
    problem: `${host} is not as it was before the last run: ${blocks.map(({ summary }) => summary).join('; ')}.`,
    steps: [...new Map(steps.map((step) => [`${step.text} ${step.command} ${step.flag}`, step])).values()],
    last: accepts,
  };
}
