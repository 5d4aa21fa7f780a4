import { formatDuration } from '../config/quantity.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import type { Guest } from '../guest/exec.js';
import type { Acting } from './act.js';

const TASK_LIMIT_MS = 120_000;
const PROBE_MS = 5000;
/** The task, and moments of asking that differ. */
const ROUNDING_MS = 10_000;

export function startVm(acting: Acting): Promise<string> {
  const { vm } = acting.sight;
  if (vm?.status === 'running') return Promise.resolve('the VM runs already');
  return power(acting, 'start');
}

export function resetVm(acting: Acting): Promise<string> {
  const { vm, host } = acting.sight;
  if (vm?.status === 'stopped') {
    throw new Fault('recover.stopped', `The VM of ${host} is stopped; there is nothing to reset.`, {
      hint: `pbs-ctl recover --host ${host} --start-vm`,
    });
  }
  return power(acting, 'reset');
}

/** Once. Waits for PVE's task, and then for the host itself. */
async function power(acting: Acting, action: 'start' | 'reset'): Promise<string> {
  const { host, sight, clock } = acting;
  const guest = guestOf(acting);
  const upid = await (action === 'start' ? guest.pve.startVm(guest.vmid) : guest.pve.resetVm(guest.vmid));
  await taskDone(acting, guest, upid, action);
  const begun = clock.monotonic();
  const limit = host.target.policy.rebootTimeout;
  acting.say(`waiting until ${sight.host} answers again, at most ${formatDuration(limit)}`);
  while (clock.monotonic() - begun < limit) {
    await clock.sleep(host.target.policy.pollInterval);
    if (await answers(acting, guest, clock.monotonic() - begun)) {
      const took = formatDuration(Math.round((clock.monotonic() - begun) / 1000) * 1000);
      return `the VM was ${action === 'start' ? 'started' : 'reset'}; it answered after ${took}`;
    }
  }
  throw new Fault(
    'recover.not-back',
    `The VM of ${sight.host} was ${action === 'start' ? 'started' : 'reset'} and has not come back within ${formatDuration(limit)}.`,
    { hint: 'Look at its console.' },
  );
}

/** Proxy, daemon and agent, in a boot that began after the request: what still answers before it goes down does not count. */
async function answers({ host }: Acting, { pve, vmid }: Guest, sinceMs: number): Promise<boolean> {
  const fresh = await Promise.all([host.pbs.probe(PROBE_MS), host.pbs.daemonAnswers(PROBE_MS)]).then(
    ([{ uptimeSeconds }]) => uptimeSeconds * 1000 <= sinceMs + ROUNDING_MS,
    () => false,
  );
  if (!fresh) return false;
  return pve.agent.ping(vmid, 10_000).then(
    () => true,
    // Without the option there is no agent to wait for.
    (error: unknown) => errorDocument(error).code === 'agent.disabled',
  );
}

async function taskDone(
  { clock, host, say }: Acting,
  { pve, vmid }: Guest,
  upid: string,
  action: string,
): Promise<void> {
  const node = upid.split(':')[1] ?? '';
  const begun = clock.monotonic();
  say(`PVE carries out: ${action} VM ${vmid}`);
  while (clock.monotonic() - begun < TASK_LIMIT_MS) {
    const { running, exitStatus } = await pve.taskState(node, upid);
    if (!running) {
      if (exitStatus === 'OK' || exitStatus?.startsWith('WARNINGS')) return;
      throw new Fault(
        'recover.failed',
        `PVE could not ${action} VM ${vmid}: ${exitStatus ?? 'its task ended without a word'}.`,
        {
          hint: 'Look at the task in the web UI of PVE.',
        },
      );
    }
    await clock.sleep(Math.min(1000, host.target.policy.pollInterval));
  }
  throw new Fault('recover.failed', `PVE's task to ${action} VM ${vmid} does not end.`, {
    hint: 'Look at the task in the web UI of PVE.',
  });
}

export function guestOf({ host: { guest, target } }: Acting): Guest {
  if (guest) return guest;
  throw new Fault('guest.none', `The config names no guest for host "${target.host}".`, {
    hint: `Set hosts.${target.host}.guest.`,
    exitCode: EXIT.usage,
  });
}
