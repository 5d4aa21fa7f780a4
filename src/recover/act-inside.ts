import { Fault } from '../fault.js';
import { type Guest, runOnce } from '../guest/exec.js';
import type { Acting } from './act.js';
import { guestOf } from './act-power.js';

const LIMIT_MS = 90_000;
const PBS_UNITS = ['proxmox-backup.service', 'proxmox-backup-proxy.service'];

/** Mounts what fstab names and is not mounted; one that fails does not keep the others back. */
export async function mount(acting: Acting): Promise<string> {
  const targets = acting.sight.inside?.missingMounts ?? [];
  if (acting.sight.inside === null)
    throw new Fault('recover.no-agent', 'What is missing can only be mounted through the guest agent.', {
      hint: acting.sight.agentError?.hint ?? 'Log in on the console of the VM.',
    });
  if (targets.length === 0) return 'nothing to mount';
  const failures: Fault[] = [];
  const done: string[] = [];
  for (const target of targets) {
    try {
      await mustRun(guestOf(acting), ['mount', target]);
      done.push(target);
    } catch (error) {
      if (!(error instanceof Fault)) throw error;
      failures.push(error);
    }
  }
  const [first] = failures;
  if (first)
    throw new Fault(first.code, failures.map(({ message }) => message).join(' '), {
      hint: 'Is the disk there? "lsblk -f" in the guest, and the hardware of the VM in PVE.',
    });
  return `mounted ${done.join(', ')}`;
}

/** Through the guest agent where it answers, which may do it anyway; through PBS where it does not. */
export async function restart(acting: Acting): Promise<string> {
  const { sight } = acting;
  const { inside, proxy, daemon, servicesDown } = sight;
  if (inside === null) return restartByApi(acting);
  const own = proxy === 'silent' || daemon === 'silent' ? PBS_UNITS : [];
  const units = [
    ...new Set([...inside.failedUnits, ...own, ...servicesDown.map((name) => `${name}.service`)]),
  ];
  if (units.length === 0) return 'nothing to restart';
  const guest = guestOf(acting);
  // A unit that failed too often in a row is not started again without this.
  await runOnce(guest, ['systemctl', 'reset-failed', ...units], LIMIT_MS);
  await mustRun(guest, ['systemctl', 'restart', ...units]);
  return `restarted ${units.join(', ')}`;
}

async function restartByApi({ host: { pbs, target }, sight, clock }: Acting): Promise<string> {
  const { daemon, servicesDown, agentError } = sight;
  if (daemon !== 'answers')
    throw new Fault('recover.no-way', 'Neither the guest agent nor the daemon of PBS answers.', {
      hint: agentError?.hint ?? 'Log in on the console of the VM.',
    });
  for (const name of servicesDown) {
    const upid = await pbs.startService(name);
    const begun = clock.monotonic();
    while ((await pbs.taskState(upid)).running && clock.monotonic() - begun < LIMIT_MS)
      await clock.sleep(target.policy.pollInterval);
  }
  return servicesDown.length === 0 ? 'nothing to restart' : `started ${servicesDown.join(', ')}`;
}

async function mustRun(guest: Guest, command: string[]): Promise<void> {
  const { exitCode, stderr, stdout } = await runOnce(guest, command, LIMIT_MS);
  if (exitCode === 0) return;
  throw new Fault(
    'recover.failed',
    `"${command.join(' ')}" in the guest ended with ${exitCode}: ${(stderr || stdout).trim()}`,
    {
      hint: 'Look at its journal, or at the console of the VM.',
    },
  );
}
