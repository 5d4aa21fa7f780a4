import { createHash } from 'node:crypto';
import { z } from 'zod';

const installed = z.object({ name: z.string(), to: z.string() }).readonly();
const removed = z.object({ name: z.string(), from: z.string() }).readonly();
const upgraded = z.object({ name: z.string(), from: z.string(), to: z.string() }).readonly();

export const PackageChanges = z
  .object({
    upgraded: z.array(upgraded).readonly(),
    installed: z.array(installed).readonly(),
    removed: z.array(removed).readonly(),
    held: z.array(z.string()).readonly(),
  })
  .readonly();
export type PackageChanges = z.output<typeof PackageChanges>;

/**
 * What `LC_ALL=C apt-get -s dist-upgrade` says it would do. `Inst` without an old version installs
 * anew; `Remv` removes, and `Purg` does where the guest has `APT::Get::Purge`; `Conf` alone configures what is
 * unpacked already and changes no version.
 */
export function readPlan(output: string, held: readonly string[]): PackageChanges {
  const upgraded: Array<{ name: string; from: string; to: string }> = [];
  const installed: Array<{ name: string; to: string }> = [];
  const removed: Array<{ name: string; from: string }> = [];
  for (const line of output.split('\n')) {
    const inst = /^Inst (\S+) (?:\[([^\]]+)\] )?\((\S+)/.exec(line);
    const remv = /^(?:Remv|Purg) (\S+) \[([^\]]+)\]/.exec(line);
    if (inst?.[1] && inst[3]) {
      if (inst[2]) upgraded.push({ name: inst[1], from: inst[2], to: inst[3] });
      else installed.push({ name: inst[1], to: inst[3] });
    } else if (remv?.[1] && remv[2]) removed.push({ name: remv[1], from: remv[2] });
  }
  return { upgraded, installed, removed, held: [...held].sort() };
}

/** SHA-256 over the sorted list of what the upgrade installs, upgrades and removes. */
export function planDigest(plan: PackageChanges): string {
  const entries = [
    ...plan.upgraded.map(({ name, from, to }) => `upgrade ${name} ${from} ${to}`),
    ...plan.installed.map(({ name, to }) => `install ${name} ${to}`),
    ...plan.removed.map(({ name, from }) => `remove ${name} ${from}`),
  ].sort();
  return createHash('sha256').update(entries.join('\n')).digest('hex');
}

/** What really changed, from the packages installed before and after. */
export function packageChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  held: readonly string[],
): PackageChanges {
  const changes = [...after].flatMap(([name, to]) => {
    const from = before.get(name);
    return from === to ? [] : [{ name, from, to }];
  });
  return {
    upgraded: changes.flatMap(({ name, from, to }) => (from === undefined ? [] : [{ name, from, to }])),
    installed: changes.flatMap(({ name, from, to }) => (from === undefined ? [{ name, to }] : [])),
    removed: [...before].flatMap(([name, from]) => (after.has(name) ? [] : [{ name, from }])),
    held,
  };
}

export function isEmptyPlan({ upgraded, installed, removed }: PackageChanges): boolean {
  return upgraded.length + installed.length + removed.length === 0;
}

/** One line of apt's status channel: `KIND:ITEM:PERCENT:TEXT`. Percent counts to 100 once for the download and once for dpkg. */
interface AptProgress {
  readonly stage: 'download' | 'install';
  readonly percent: number;
  readonly text: string;
}

export function readProgress(line: string): AptProgress | null {
  const match = /^(dlstatus|pmstatus|pmconffile|pmerror):([^:]*):([\d.]+):(.*)$/.exec(line);
  if (!match) return null;
  return {
    stage: match[1] === 'dlstatus' ? 'download' : 'install',
    percent: Math.min(100, Number(match[3])),
    text: match[1] === 'pmerror' ? `${match[2]}: ${match[4]}` : (match[4] ?? ''),
  };
}

const KERNEL = /^(?:proxmox|pve)-kernel-(\d+\.\d+\.\d+-\d+(?:-[a-z0-9]+)?-pve)(?:-signed)?$/;

/** Releases of the installed kernel images, as in `uname -r`, newest last; without meta packages. */
export function installedKernels(packages: Iterable<string>): string[] {
  const releases = [...packages].flatMap((name) => KERNEL.exec(name)?.[1] ?? []);
  return [...new Set(releases)].sort(compareKernels);
}

/** Numeric comparison of `X.Y.Z-N-pve`. */
export function compareKernels(a: string, b: string): number {
  const numbers = (release: string) =>
    (/^(\d+)\.(\d+)\.(\d+)-(\d+)/.exec(release) ?? []).slice(1).map(Number);
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < 4; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : a > b ? 1 : 0;
}
