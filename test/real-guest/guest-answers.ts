import type { MachineMount, Vitals } from '../../src/lab/guest-machine.js';
import type { InstalledPackage, PendingChange } from '../../src/lab/machine/packages.js';

// Reads what image/pbs-daemon prints.

export function readVitals(output: string): Vitals & { readonly mounts: readonly MachineMount[] } {
  const [uptime = '', epoch = '', kernel = '', root = '', ...mounts] = output.trim().split('\n');
  const [total = 0, used = 0, available = 0] = root.trim().split(/\s+/).map(Number);
  return {
    uptimeSeconds: Math.floor(Number(uptime)),
    epochSeconds: Number(epoch),
    kernel,
    root: { total, used, available },
    mounts: mounts
      .map((line) => line.split(' '))
      .filter(([, device = '']) => device.startsWith('/dev/'))
      .map(([path = '', device = '', fstype = '', size, taken]) => ({
        path,
        device,
        fstype,
        total: Number(size),
        used: Number(taken),
      })),
  };
}

export function readPackages(output: string): InstalledPackage[] {
  return output
    .split('\n')
    .map((line) => line.split('|'))
    .filter(([state = '']) => /^.[^nc]/.test(state))
    .map(([, name = '', version = '']) => ({ name, version }));
}

/** What differs from its candidate, held packages included, and new packages of the upgrade: the list that PBS makes. */
export function readUpdates(output: string): PendingChange[] {
  const planned = [...output.matchAll(/^Inst (\S+) (?:\[([^\]]+)\] )?\((\S+) ([^:/ ]*)/gm)].map(
    ([, name = '', from, to = '', origin = '']) => ({ name, ...(from ? { from } : {}), to, origin }),
  );
  const listed = [...output.matchAll(/^([^/\s]+)\/\S* (\S+) \S+ \[upgradable from: ([^\]]+)\]/gm)].map(
    ([, name = '', to = '', from = '']) => ({ name, from, to, origin: '' }),
  );
  const known = new Set(planned.map(({ name }) => name));
  return [...planned, ...listed.filter(({ name }) => !known.has(name))];
}

/** The services that PBS lists, as far as they are installed. */
export function readServices(output: string): Map<string, string> {
  const listed = [
    'chrony',
    'cron',
    'postfix',
    'proxmox-backup',
    'proxmox-backup-proxy',
    'sshd',
    'systemd-journald',
  ];
  return new Map(
    output.split('\n').flatMap((line) => {
      const [unit = '', load, , state = ''] = line.trim().split(/\s+/);
      const name = unit.replace(/\.service$/, '');
      return listed.includes(name) && load === 'loaded' ? [[name, state] as const] : [];
    }),
  );
}
