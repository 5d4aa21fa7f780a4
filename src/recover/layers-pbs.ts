import type { Sight } from './sight.js';
import { byCommand, byFlag, list, type Trouble, todo } from './step.js';

// The layers of PBS itself, once its system is up. Each is null when it is well.

export function api({ host, proxy, daemon, servicesDown, apiError }: Sight): Trouble | null {
  if (proxy === 'refuses')
    return {
      problem: `${host} is up, but cannot be asked: ${apiError?.message ?? 'it refuses'}`,
      steps: [todo(apiError?.hint ?? 'Mend the token.')],
    };
  if (proxy === 'silent')
    return {
      problem: `The system of ${host} runs, its API does not answer.`,
      steps: [
        byCommand('See why.', 'journalctl -b -u proxmox-backup-proxy.service'),
        byFlag('Restart the services of PBS.', 'restart-services'),
        todo('If they run: look at the network and the firewall between here and there.'),
      ],
    };
  if (daemon === 'silent')
    return {
      problem: `The proxy of ${host} answers, the daemon behind it does not.`,
      steps: [
        byCommand('See why.', 'journalctl -b -u proxmox-backup.service'),
        byFlag('Restart the services of PBS.', 'restart-services'),
      ],
    };
  if (servicesDown.length > 0)
    return {
      problem: `Not running on ${host}: ${list(servicesDown)}.`,
      steps: [
        byCommand('See why.', `journalctl -b -u ${servicesDown[0]}`),
        byFlag('Start it again.', 'restart-services'),
      ],
    };
  return null;
}

/** It answers, and not to all that was asked. */
export function apiAnswers({ host, apiError }: Sight): Trouble | null {
  if (!apiError) return null;
  return {
    problem: `${host} does not answer everything: ${apiError.message}`,
    steps: [todo(apiError.hint ?? 'Look at its journal.')],
  };
}

export function datastores({ host, datastores: stores, foreignModes }: Sight): Trouble | null {
  const broken = stores.filter(({ state }) => state !== 'ok');
  if (broken.length === 0) return null;
  const offline = broken.filter(({ name }) =>
    foreignModes.some(({ datastore, type }) => datastore === name && type !== 'read-only'),
  );
  if (offline.length === broken.length) {
    const modes = foreignModes.map(
      ({ datastore, type, message }) => `${datastore} to ${type}${message ? ` ("${message}")` : ''}`,
    );
    return {
      problem: `Somebody has set ${list(modes)} on ${host}.`,
      steps: [todo('Ask who did; pbs-ctl does not lift what it has not set.')],
    };
  }
  return {
    problem: `${host} cannot use ${list(broken.map(({ name, state }) => `${name} (${state})`))}.`,
    steps: [
      byCommand(
        'Look at its disk and its path.',
        `proxmox-backup-manager datastore show ${broken[0]?.name ?? ''}`,
      ),
    ],
  };
}

/** PBS is well; only nobody can look inside the VM, and a run needs that. */
export function agentOnly({ host, agent, agentError, vm }: Sight): Trouble | null {
  if (agent === 'answers' || agent === 'not-asked') return null;
  return {
    problem: `PBS on ${host} is well, but its guest agent ${agent === 'silent' ? 'does not answer' : 'refuses'}: ${agentError?.message ?? ''}`,
    steps: [
      todo(agentError?.hint ?? 'Look at qemu-guest-agent.service in the guest.'),
      ...(agent === 'silent'
        ? [byCommand('On its console: systemctl restart qemu-guest-agent', vm?.consoleUrl ?? null)]
        : []),
    ],
  };
}

/** Well in itself, and not as it was before the last run. */
export function difference({ host, verification }: Sight): Trouble | null {
  if (!verification || verification.ok) return null;
  const blocks = verification.findings.filter(({ status }) => status === 'block');
  return {
    problem: `${host} is not as it was before the last run: ${blocks.map(({ summary }) => summary).join('; ')}.`,
    steps: [byCommand('Mend that on the host, then look again.', `pbs-ctl verify --host ${host}`)],
  };
}
