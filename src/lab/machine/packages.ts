import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { releaseOf } from './release.js';
import type { ChangeSpec, MachineSpec, PackageSpec } from './spec.js';

// Both files are plain tables with tabs, because the stand-ins of the toolbox read and write them too,
// most of them with awk: starting Node.js for each would make a survey of the machine slow.
//   packages: STATE NAME VERSION DESCRIPTION   (STATE as dpkg abbreviates it: "ii ", "hi ", "iU ", "iF ")
//   pending:  upgrade|install|remove NAME FROM TO ORIGIN SIZE   ("-" where there is none)

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** What `uname -r` says under this package's kernel. */
  readonly kernel?: string;
}

export interface PendingChange {
  readonly name: string;
  readonly from?: string;
  readonly to: string;
  readonly origin: string;
}

/** Lays out the package tables of a machine. */
export function writePackages(state: string, spec: MachineSpec): void {
  const release = releaseOf(spec.release ?? '4.2');
  const installed: PackageSpec[] = [...(spec.packages ?? release.packages)];
  const changes: ChangeSpec[] = [
    ...(spec.changes ?? release.changes),
    ...(spec.upgradesAgent ? [release.agentChange] : []),
    ...(spec.moreChanges ?? []),
  ];
  const removed = new Set(spec.removes);
  const interrupted = new Map<string, string>();
  if (spec.dpkgInterrupted) {
    // The first two of the upgrade had been unpacked when the earlier run was cut off.
    const halfDone = changes.filter(({ from, to }) => from && to).slice(0, 2);
    for (const [index, { name }] of halfDone.entries()) interrupted.set(name, index === 0 ? 'iF ' : 'iU ');
    const updates = join(state, '../var/lib/dpkg/updates');
    mkdirSync(updates, { recursive: true });
    writeFileSync(join(updates, '0001'), '');
  }
  const held = new Set(spec.held);
  const packageRows = installed.map(({ name, version, description = '' }) => {
    const done = interrupted.has(name) ? changes.find((change) => change.name === name)?.to : undefined;
    return [interrupted.get(name) ?? (held.has(name) ? 'hi ' : 'ii '), name, done ?? version, description];
  });
  const pendingRows = changes
    .filter(({ name }) => !interrupted.has(name) && !removed.has(name))
    .map(({ name, from, to, origin = '-', sizeBytes = 100_000 }) => [
      from === undefined ? 'install' : to === undefined ? 'remove' : 'upgrade',
      name,
      from ?? '-',
      to ?? '-',
      origin,
      String(sizeBytes),
    ]);
  for (const name of removed) {
    const version = installed.find((candidate) => candidate.name === name)?.version ?? '-';
    pendingRows.unshift(['remove', name, version, '-', '-', '0']);
  }
  writeTable(join(state, 'packages'), packageRows);
  writeTable(join(state, 'pending'), pendingRows);
  writeTable(join(state, 'autoremovable'), [
    ...(spec.autoremovable ?? []).map((name) => [name, '']),
    ...(spec.autoremovableAfter ?? []).map((name) => [name, 'after']),
    ...(spec.autoremovableOnceInstalled ?? []).map((name) => [name, 'installed']),
  ]);
}

/** The packages whose files are in place, half configured ones included, as dpkg's own list has them. */
export function readInstalled(state: string): InstalledPackage[] {
  return readTable(join(state, 'packages')).map(([, name = '', version = '']) => {
    const kernel = kernelOf(name);
    return { name, version, ...(kernel ? { kernel } : {}) };
  });
}

/** Upgrades and new packages that wait; held packages included, as in PBS's own list. */
export function readPending(state: string): PendingChange[] {
  return readTable(join(state, 'pending'))
    .filter(([action]) => action !== 'remove')
    .map(([action, name = '', from = '', to = '', origin = '']) => ({
      name,
      ...(action === 'upgrade' ? { from } : {}),
      to,
      // apt prints the label of a repository, PBS its origin.
      origin: origin.startsWith('Proxmox') ? 'Proxmox' : (/^[^:-]+/.exec(origin)?.[0] ?? ''),
    }));
}

/** The newest kernel whose package is fully installed: the one that the boot loader takes. */
export function newestKernel(state: string): string | undefined {
  return readTable(join(state, 'packages'))
    .flatMap(([status, name = '']) => (status?.[1] === 'i' ? (kernelOf(name) ?? []) : []))
    .sort(byRelease)
    .at(-1);
}

function kernelOf(name: string): string | undefined {
  return /^(?:(?:proxmox|pve)-kernel|linux-image)-(\d+\.\d+\.\d+.*?)(?:-signed)?$/.exec(name)?.[1];
}

const byRelease = (left: string, right: string) => left.localeCompare(right, 'en', { numeric: true });

export function readTable(file: string): string[][] {
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => line.split('\t'));
}

/** Written beside and renamed: a stand-in may be reading. */
export function writeTable(file: string, rows: ReadonlyArray<readonly string[]>): void {
  writeFileSync(`${file}.new`, rows.map((row) => `${row.join('\t')}\n`).join(''));
  renameSync(`${file}.new`, file);
}
