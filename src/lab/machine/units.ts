import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

// One file a unit, KEY=VALUE in systemd's own order, which `systemctl show` keeps whatever was asked.
// Transient units are written by systemd-run; `Transient=yes` and the pid of their keeper tell them apart.

export const HOST_UNITS = [
  'chrony.service',
  'cron.service',
  'networking.service',
  'postfix.service',
  'proxmox-backup-banner.service',
  'proxmox-backup-proxy.service',
  'proxmox-backup.service',
  'ssh.service',
  'systemd-journald.service',
] as const;

type UnitStanding = 'active' | 'inactive' | 'failed';

/** Writes a unit of the host (not a transient one). */
export function writeUnit(state: string, id: string, standing: UnitStanding): void {
  const mount = id.endsWith('.mount');
  const sub = {
    active: mount ? 'mounted' : 'running',
    inactive: 'dead',
    failed: 'failed',
  }[standing];
  const failed = standing === 'failed';
  const service = [
    'Type=simple',
    'Restart=no',
    `MainPID=${standing === 'active' ? 1 + (hash(id) % 900) : 0}`,
    `Result=${failed ? 'exit-code' : 'success'}`,
    `ExecMainCode=${failed ? 1 : 0}`,
    `ExecMainStatus=${failed ? 1 : 0}`,
  ];
  const lines = [
    ...(mount ? [`Where=${mountPoint(id)}`, 'Result=success'] : service),
    `Id=${id}`,
    `Names=${id}`,
    `Description=${id}`,
    'LoadState=loaded',
    `ActiveState=${standing}`,
    `SubState=${sub}`,
    `UnitFileState=${mount ? 'generated' : 'enabled'}`,
  ];
  mkdirSync(join(state, 'units'), { recursive: true });
  writeFileSync(join(state, 'new-unit'), `${lines.join('\n')}\n`);
  renameSync(join(state, 'new-unit'), join(state, 'units', id));
}

/** Kills what transient units run and forgets them, as the end of a boot does. */
export function killTransientUnits(state: string): void {
  signalTransientUnits(state, 'SIGKILL');
  for (const id of transientUnits(state)) rmSync(join(state, 'units', id), { force: true });
}

/** To everything that transient units run. */
export function signalTransientUnits(state: string, signal: 'SIGSTOP' | 'SIGCONT' | 'SIGKILL'): void {
  for (const id of transientUnits(state)) {
    const text = readFileSync(join(state, 'units', id), 'utf8');
    const keeper = Number(/^KeeperPID=(\d+)$/m.exec(text)?.[1] ?? 0);
    const ended = /^SubState=(exited|failed)$/m.test(text);
    if (keeper > 1 && !ended) signalGroup(keeper, signal);
  }
}

/** To a process group; one that is gone is not an error. */
export function signalGroup(leader: number, signal: NodeJS.Signals): void {
  try {
    process.kill(-leader, signal);
  } catch {
    // It has ended by itself.
  }
}

/** Name of the unit that mounts a path: systemd's escaping. */
export function mountUnit(path: string): string {
  const escaped = path
    .replace(/^\/|\/$/g, '')
    .replace(/[^A-Za-z0-9:_./]/g, (char) => `\\x${char.charCodeAt(0).toString(16)}`);
  return `${escaped.replaceAll('/', '-') || '-'}.mount`;
}

function mountPoint(unit: string): string {
  const path = unit.replace(/\.mount$/, '').replaceAll('-', '/');
  return `/${path.replace(/\\x([0-9a-f]{2})/g, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))}`;
}

const transientUnits = (state: string): string[] =>
  readdirSync(join(state, 'units')).filter(
    (id) => !id.endsWith('.new') && readFileSync(join(state, 'units', id), 'utf8').includes('Transient=yes'),
  );

function hash(text: string): number {
  return [...text].reduce((sum, char) => (sum * 31 + char.charCodeAt(0)) % 65_521, 7);
}
