import { Fault } from '../fault.js';
import { type Guest, runOnce } from '../guest/exec.js';
import { lockOf } from '../lock/cluster-lock.js';
import { release } from '../lock/lock.js';
import type { Site } from '../site.js';
import type { RecoverFlag } from './diagnosis.js';
import type { Sight } from './sight.js';

const LIMIT_MS = 60_000;
const PBS_UNITS = ['proxmox-backup.service', 'proxmox-backup-proxy.service'];

/** Carries out what one flag names. @returns what was done, in words */
export async function act(flag: RecoverFlag, site: Site, sight: Sight): Promise<string> {
  switch (flag) {
    case 'start-vm':
      await guestOf(site).pve.startVm(guestOf(site).vmid);
      return 'the VM was started';
    case 'reset-vm':
      await guestOf(site).pve.resetVm(guestOf(site).vmid);
      return 'the VM was reset';
    case 'mount':
      return mount(guestOf(site), sight.inside?.missingMounts ?? []);
    case 'restart-services':
      return restart(site, sight);
    case 'lift-fence':
      return liftFences(site, sight);
    case 'release-lock':
      return releaseLocks(site, sight);
  }
}

async function mount(guest: Guest, targets: readonly string[]): Promise<string> {
  if (targets.length === 0) return 'nothing to mount';
  for (const target of targets) await mustRun(guest, ['mount', target]);
  return `mounted: ${targets.join(', ')}`;
}

/** Through PBS where it answers, through the guest agent where it does not. */
async function restart(site: Site, { servicesDown, inside, proxy, daemon }: Sight): Promise<string> {
  const units = inside?.failedUnits ?? [];
  const { pbs, guest } = site;
  if (daemon === 'answers') for (const name of servicesDown) await pbs.startService(name);
  const own = proxy === 'silent' || daemon === 'silent' ? PBS_UNITS : [];
  const inGuest = [...new Set([...units, ...own])];
  if (inGuest.length > 0 && guest) {
    await runOnce(guest, ['systemctl', 'reset-failed', ...inGuest], LIMIT_MS);
    await mustRun(guest, ['systemctl', 'restart', ...inGuest]);
  }
  const done = [...new Set([...servicesDown, ...inGuest])];
  return done.length === 0 ? 'nothing to restart' : `restarted: ${done.join(', ')}`;
}

async function liftFences({ pbs }: Site, { fences }: Sight): Promise<string> {
  for (const { datastore } of fences) {
    const { digest } = await pbs.datastoreConfig(datastore);
    await pbs.setMaintenance(datastore, null, digest);
  }
  return fences.length === 0
    ? 'no fence of pbs-ctl is up'
    : `lifted: ${fences.map(({ datastore }) => datastore).join(', ')}`;
}

async function releaseLocks(site: Site, { locks }: Sight): Promise<string> {
  for (const { cluster: name, run } of locks) {
    const cluster = site.clusters.find((each) => each.name === name);
    if (cluster)
      await release(lockOf(cluster, site.facts(null).clock, site.target.policy.requestTimeout * 2), { run });
  }
  return locks.length === 0
    ? 'no lock of this host is held'
    : `released: ${locks.map(({ cluster }) => cluster).join(', ')}`;
}

async function mustRun(guest: Guest, command: string[]): Promise<void> {
  const { exitCode, stderr, stdout } = await runOnce(guest, command, LIMIT_MS);
  if (exitCode === 0) return;
  throw new Fault(
    'recover.failed',
    `"${command.join(' ')}" in the guest ended with ${exitCode}: ${(stderr || stdout).trim()}`,
    {
      hint: 'Look at the console of the VM.',
    },
  );
}

function guestOf({ guest, target }: Site): Guest {
  if (guest) return guest;
  throw new Fault('guest.none', `The config names no guest for host "${target.host}".`, {
    hint: `Set hosts.${target.host}.guest.`,
    exitCode: 2,
  });
}
