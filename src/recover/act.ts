import { endedWell, type TaskState, waitForTask } from '../api/tasks.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { runOfFence } from '../fence/mark.js';
import { MaintenanceModes } from '../fence/modes.js';
import { type Guest, runOnce } from '../guest/exec.js';
import { type Host, requireGuest } from '../host/open.js';
import { Journal } from '../journal/journal.js';
import type { RunEvent } from '../journal/records.js';
import { release } from '../lock/release.js';
import { poll } from '../poll.js';
import type { RecoverFlag } from '../rules/steps.js';
import type { Clock, World } from '../world.js';
import type { ObservedHost } from './observed.js';
import { repairPackages } from './repair-packages.js';

/** What an action works with. */
interface Acting {
  readonly host: Host;
  readonly observed: ObservedHost;
  readonly stateDir: string;
  readonly clock: Clock;
  readonly randomWord: World['randomWord'];
  /** Progress, for a person. */
  readonly say: (text: string) => void;
}

/** Carries out a flag. @returns what was done. @throws Fault where that failed */
export function act(flag: RecoverFlag, acting: Acting): Promise<string> {
  return ACTIONS[flag](acting);
}

const ACTIONS: Readonly<Record<RecoverFlag, (acting: Acting) => Promise<string>>> = {
  'start-vm': startVm,
  'reset-vm': resetVm,
  mount,
  'repair-packages': repairPackages,
  'restart-services': restartServices,
  'lift-fence': liftFences,
  'release-lock': releaseLocks,
};

async function startVm(acting: Acting): Promise<string> {
  return acting.observed.vm?.status === 'running' ? 'the VM runs already' : power(acting, 'start');
}

async function resetVm(acting: Acting): Promise<string> {
  const { vm, host } = acting.observed;
  if (vm?.status === 'stopped') {
    throw new Fault('recover.stopped', `The VM of ${host} is stopped; there is nothing to reset.`, {
      hint: `pbs-ctl recover --host ${host} --start-vm`,
    });
  }
  return power(acting, 'reset');
}

/** Waits for PVE's task, then for the host. */
async function power(acting: Acting, action: 'start' | 'reset'): Promise<string> {
  const { host, clock, say } = acting;
  const { pve, vmid } = requireGuest(acting.host);
  const { host: name, policy } = host.target;
  const { rebootTimeout, pollInterval } = policy;
  const upid = await (action === 'start' ? pve.startVm(vmid) : pve.resetVm(vmid));
  say(`PVE carries out: ${action} VM ${vmid}`);
  await carriedOut(acting, 'PVE', `${action} VM ${vmid}`, () =>
    pve.taskState(upid.split(':')[1] ?? '', upid),
  );
  const begun = clock.monotonic();
  const polling = { everyMs: pollInterval, limitMs: rebootTimeout };
  say(`waiting until ${name} answers again, at most ${formatDuration(rebootTimeout)}`);
  const done = `The VM of ${name} was ${action === 'start' ? 'started' : 'reset'}`;
  const tookMs = await poll(clock, polling, async () => {
    const sinceMs = clock.monotonic() - begun;
    return (await isBack(acting, sinceMs)) ? sinceMs : null;
  });
  if (tookMs === null)
    throw new Fault(
      'recover.not-back',
      `${done} and has not come back within ${formatDuration(rebootTimeout)}.`,
      { hint: 'Look at its console.' },
    );
  return `the VM was ${action === 'start' ? 'started' : 'reset'}; it answered after ${formatDuration(Math.round(tookMs / 1000) * 1000)}`;
}

const PROBE_MS = 5000;
/** For the time that the task and the requests take. */
const ROUNDING_MS = 10_000;

/** Proxy, daemon and agent answer, in a boot that began after the request. */
async function isBack(acting: Acting, sinceMs: number): Promise<boolean> {
  const { pbs } = acting.host;
  const { pve, vmid } = requireGuest(acting.host);
  const fresh = await Promise.all([pbs.probe(PROBE_MS), pbs.daemonAnswers(PROBE_MS)]).then(
    ([{ uptimeSeconds }]) => uptimeSeconds * 1000 <= sinceMs + ROUNDING_MS,
    () => false,
  );
  if (!fresh) return false;
  return pve.agent.ping(vmid, 10_000).then(
    () => true,
    // Then there is no agent to wait for.
    (error: unknown) => error instanceof Fault && error.kind === 'refused',
  );
}

const LIMIT_MS = 90_000;

/** Mounts what is in fstab but not mounted; one that fails does not stop the others. */
async function mount(acting: Acting): Promise<string> {
  const { inside, agentError } = acting.observed;
  if (inside === null)
    throw new Fault('recover.no-agent', 'Mounting needs the guest agent, which does not answer.', {
      hint: agentError?.hint ?? 'Log in on the console of the VM.',
    });
  if (inside.missingMounts.length === 0) return 'nothing to mount';
  const failures: Fault[] = [];
  for (const path of inside.missingMounts) {
    try {
      await mustRun(requireGuest(acting.host), ['mount', path]);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first)
    throw new Fault(first.code, failures.map(({ message }) => message).join(' '), {
      hint: 'Check that the disk is there, in the hardware of the VM and in the guest:\nlsblk -f',
    });
  return `mounted ${inside.missingMounts.join(', ')}`;
}

const PBS_UNITS = ['proxmox-backup.service', 'proxmox-backup-proxy.service'];

/** Through the guest agent, or through PBS where the agent does not answer. */
async function restartServices(acting: Acting): Promise<string> {
  const { inside, proxy, daemon, servicesDown } = acting.observed;
  if (inside === null) return startByApi(acting);
  const own = proxy === 'silent' || daemon === 'silent' ? PBS_UNITS : [];
  const down = servicesDown.map((name) => `${name}.service`);
  const units = [...new Set([...inside.failedUnits, ...own, ...down])];
  if (units.length === 0) return 'nothing to restart';
  const guest = requireGuest(acting.host);
  // Without this, systemd refuses a unit that failed too often in a row.
  await runOnce(guest, ['systemctl', 'reset-failed', ...units], LIMIT_MS);
  await mustRun(guest, ['systemctl', 'restart', ...units]);
  return `restarted ${units.join(', ')}`;
}

async function startByApi(acting: Acting): Promise<string> {
  const { pbs } = acting.host;
  const { daemon, servicesDown, agentError } = acting.observed;
  if (daemon !== 'answers')
    throw new Fault('recover.no-way', 'Neither the guest agent nor the daemon of PBS answers.', {
      hint: agentError?.hint ?? 'Log in on the console of the VM.',
    });
  for (const name of servicesDown) {
    const upid = await pbs.startService(name);
    await carriedOut(acting, 'PBS', `start ${name}`, () => pbs.taskState(upid));
  }
  return servicesDown.length === 0 ? 'nothing to restart' : `started ${servicesDown.join(', ')}`;
}

async function mustRun(guest: Guest, command: string[]): Promise<void> {
  const { exitCode, stderr, stdout } = await runOnce(guest, command, LIMIT_MS);
  if (exitCode === 0) return;
  throw new Fault(
    'recover.failed',
    `"${command.join(' ')}" in the guest ended with ${exitCode}: ${(stderr || stdout).trim()}`,
    { hint: 'Look at its journal, or at the console of the VM.' },
  );
}

const TASK_LIMIT_MS = 120_000;

/** Waits for a task of PBS or PVE. @throws Fault `recover.failed` if it fails or does not end */
async function carriedOut(
  { clock, host }: Acting,
  server: 'PBS' | 'PVE',
  what: string,
  ask: () => Promise<TaskState>,
): Promise<void> {
  const everyMs = Math.min(1000, host.target.policy.pollInterval);
  const task = await waitForTask(clock, { everyMs, limitMs: TASK_LIMIT_MS }, ask);
  if (task && endedWell(task)) return;
  const message = task
    ? `${server} could not ${what}: ${task.exitStatus ?? 'its task ended without a status'}.`
    : `The task of ${server} to ${what} does not end.`;
  throw new Fault('recover.failed', message, { hint: `Look at the task in the web UI of ${server}.` });
}

/** Lifts the fences of runs as the server reports them now; other maintenance modes stay. */
async function liftFences(acting: Acting): Promise<string> {
  const lifted: string[] = [];
  const modes = new MaintenanceModes(acting.host.pbs);
  for (const { datastore } of acting.observed.fences) {
    await modes.change(datastore, async (maintenance, set) => {
      const run = runOfFence(maintenance);
      if (run === null) return;
      await set(null);
      lifted.push(datastore);
      journal(acting, run, { type: 'unfenced', datastore });
    });
  }
  return lifted.length === 0 ? 'no fence of pbs-ctl is up' : `lifted the fence on ${lifted.join(', ')}`;
}

async function releaseLocks(acting: Acting): Promise<string> {
  const { host, observed } = acting;
  const released: string[] = [];
  for (const { cluster: name, run, owner } of observed.locks) {
    const cluster = host.clusters.find((each) => each.name === name);
    if (!cluster) continue;
    await release(cluster.lock, { run, owner });
    released.push(name);
    journal(acting, run, { type: 'unlocked', cluster: name });
  }
  const [unknown] = observed.unknownLocks;
  if (released.length === 0 && unknown)
    throw new Fault(
      unknown.error.code,
      `The lock of cluster "${unknown.cluster}" could not be read: ${unknown.error.message}`,
      {
        ...(unknown.error.hint ? { hint: unknown.error.hint } : {}),
        exitCode: EXIT.tryLater,
      },
    );
  return released.length === 0
    ? 'no lock of this host is held'
    : `released the lock of ${released.join(', ')}`;
}

/** Records it in the journal of the run, so that its report no longer lists it as left behind. */
function journal({ observed, stateDir, clock }: Acting, run: string, event: RunEvent): void {
  if (!observed.runs.some((each) => each.run === run)) return; // a run of another state directory
  const written = Journal.reopen(stateDir, run, clock);
  try {
    written.append(event);
  } finally {
    written.close();
  }
}
