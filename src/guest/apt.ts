import { createHash } from 'node:crypto';
import { z } from 'zod';

const origin = z.string().optional();
const installed = z.object({ name: z.string(), to: z.string(), origin }).readonly();
const removed = z
  .object({ name: z.string(), from: z.string(), by: z.enum(['upgrade', 'autoremove']).default('upgrade') })
  .readonly();
const upgraded = z.object({ name: z.string(), from: z.string(), to: z.string(), origin }).readonly();

/** What an upgrade changes or has changed. `origin`: the release that brings it, as apt prints it. */
export const PackageChanges = z
  .object({
    upgraded: z.array(upgraded).readonly(),
    installed: z.array(installed).readonly(),
    removed: z.array(removed).readonly(),
    /** Held by the administrator (`apt-mark hold`). */
    held: z.array(z.string()).readonly(),
    /** Not upgraded though a newer version is there, and not held. */
    keptBack: z.array(z.string()).readonly().default([]),
  })
  .readonly();
export type PackageChanges = z.output<typeof PackageChanges>;

export const NO_CHANGES: PackageChanges = {
  upgraded: [],
  installed: [],
  removed: [],
  held: [],
  keptBack: [],
};

/**
 * What `LC_ALL=C apt-get -s dist-upgrade` says it would do. `Inst` without an old version installs anew; `Remv`
 * removes, and `Purg` does where the guest has `APT::Get::Purge`; `Conf` alone configures what is unpacked already
 * and changes no version.
 */
export function readPlan(output: string, held: readonly string[]): PackageChanges {
  const upgraded: Array<PackageChanges['upgraded'][number]> = [];
  const installed: Array<PackageChanges['installed'][number]> = [];
  for (const line of output.split('\n')) {
    const [, name, from, to, origin = ''] =
      /^Inst (\S+) (?:\[([^\]]+)\] )?\((\S+)(?: (.*?))?(?: \[[^\]]*\])?\)/.exec(line) ?? [];
    if (!name || !to) continue;
    const release = origin === '' || origin === '-' ? {} : { origin };
    if (from) upgraded.push({ name, from, to, ...release });
    else installed.push({ name, to, ...release });
  }
  const keptBack = readKeptBack(output).filter((name) => !held.includes(name));
  return { upgraded, installed, removed: readRemovals(output), held: [...held].sort(), keptBack };
}

/** What a simulation of `apt-get` removes. */
export const readRemovals = (
  output: string,
  by: 'upgrade' | 'autoremove' = 'upgrade',
): PackageChanges['removed'] =>
  [...output.matchAll(/^(?:Remv|Purg) (\S+) \[([^\]]+)\]/gm)].map(([, name = '', from = '']) => ({
    name,
    from,
    by,
  }));

/** Only the text for people names them: a title, then names on lines that are indented. */
function readKeptBack(output: string): string[] {
  const titles =
    /^(?:The following packages have been kept back|The following upgrades have been deferred.*|Not upgrading.*):\n((?: .*\n?)*)/gm;
  const names = [...output.matchAll(titles)].flatMap(([, list = '']) => list.trim().split(/\s+/));
  return [...new Set(names.filter((name) => name !== ''))].sort();
}

/** What upgrade and cleanup together would do: autoremove takes no protected package. */
export function wholePlan(
  upgrade: PackageChanges,
  autoremove: PackageChanges['removed'],
  isProtected: (name: string) => boolean,
): PackageChanges {
  const taken = new Set(upgrade.removed.map(({ name }) => name));
  const spare = autoremove.filter(({ name }) => !taken.has(name) && !isProtected(name));
  return { ...upgrade, removed: [...upgrade.removed, ...spare] };
}

/** SHA-256 over the sorted list of what upgrade and autoremove install, upgrade and remove. */
export function planDigest(plan: PackageChanges): string {
  const entries = [
    ...plan.upgraded.map(({ name, from, to }) => `upgrade ${name} ${from} ${to}`),
    ...plan.installed.map(({ name, to }) => `install ${name} ${to}`),
    ...plan.removed.map(({ name, from, by }) => `${by === 'upgrade' ? 'remove' : by} ${name} ${from}`),
  ].sort();
  return createHash('sha256').update(entries.join('\n')).digest('hex');
}

/** What really changed, from the packages installed before and after; what removed it is known from the plan. */
export function packageChanges(
  before: ReadonlyMap<string, string>,
  after: ReadonlyMap<string, string>,
  { held, keptBack, removed: planned }: Pick<PackageChanges, 'held' | 'keptBack' | 'removed'>,
): PackageChanges {
  const spare = new Set(planned.filter(({ by }) => by === 'autoremove').map(({ name }) => name));
  const changes = [...after].flatMap(([name, to]) => {
    const from = before.get(name);
    return from === to ? [] : [{ name, from, to }];
  });
  return {
    upgraded: changes.flatMap(({ name, from, to }) => (from === undefined ? [] : [{ name, from, to }])),
    installed: changes.flatMap(({ name, from, to }) => (from === undefined ? [{ name, to }] : [])),
    removed: [...before].flatMap(([name, from]) =>
      after.has(name)
        ? []
        : [{ name, from, by: spare.has(name) ? ('autoremove' as const) : ('upgrade' as const) }],
    ),
    held,
    keptBack,
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

/** Sections of `dpkg --audit` about packages that work: a vendor's .deb without md5sums, an architecture it does not know. */
const HARMLESS = /missing the (?:list|md5sums) control file|architecture/;

/** The packages that an audit lists: a name and its description, one blank in. */
export const brokenPackages = (audit: string): string[] => [
  ...new Set([...audit.matchAll(/^ ([a-z0-9][a-z0-9+.:-]*)(?:\s|$)/gm)].map(([, name = '']) => name)),
];

/** What `dpkg --audit` prints of packages that are half done; '' where all are whole. */
export const brokenIn = (audit: string): string =>
  audit
    .trim()
    .split(/\n\s*\n/)
    .filter((section) => !HARMLESS.test(section.split(':')[0] ?? ''))
    .join('\n\n');
