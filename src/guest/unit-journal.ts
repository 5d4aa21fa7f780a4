import type { PackageChanges } from './apt.js';
import { changesBetween } from './dpkg-log.js';
import { PLAN_LINE } from './upgrade-script.js';
import type { UnitState } from './upgrade-unit.js';

/** What the journal of a oneshot unit tells of its last start. */
export interface UnitJournal {
  /** systemd has begun to start it. */
  readonly hasBegun: boolean;
  /** How it has ended; null while nothing says so. */
  readonly ended: Extract<UnitState, { kind: 'succeeded' | 'failed' }> | null;
  /** What dpkg said that it did, and what apt held back. */
  readonly changes: PackageChanges;
  /** What the script said that it would remove. */
  readonly removals: PackageChanges['removed'];
  /** How much apt said that it would do; null where it said nothing of it. */
  readonly toDo: number | null;
  /** The first error of dpkg; '' without one. */
  readonly dpkgError: string;
}

/**
 * Reads the journal of a oneshot unit, with what journalctl writes before each line or without. Only what
 * follows its last start counts. Pure.
 */
export function readUnitJournal(all: readonly string[], unit: string): UnitJournal {
  const begun = all.findLastIndex((line) => said(line, `Starting ${unit}`));
  const own = all.slice(begun + 1);
  return {
    hasBegun: begun >= 0,
    ended: begun < 0 ? null : endOf(own, unit),
    changes: { ...changesIn(own), held: keptBack(own) },
    removals: removalsIn(own),
    toDo: toDoIn(own),
    dpkgError: own.find((line) => /(?:^|: )dpkg: error /.test(line)) ?? '',
  };
}

const said = (line: string, words: string): boolean => line.startsWith(words) || line.includes(`: ${words}`);

function endOf(own: readonly string[], unit: string): UnitJournal['ended'] {
  if (own.some((line) => said(line, `Finished ${unit}`))) return { kind: 'succeeded' };
  if (!own.some((line) => said(line, `${unit}: Failed with result`))) return null;
  const exit = own
    .map((line) => /: Main process exited, code=(\w+), status=(\d+)/.exec(line))
    .findLast((match) => match !== null);
  return { kind: 'failed', exitCode: Number(exit?.[2] ?? 1), signal: exit ? exit[1] !== 'exited' : false };
}

function changesIn(own: readonly string[]): PackageChanges {
  const before = new Map<string, string | null>();
  const spare = new Set(removalsIn(own).flatMap(({ name, by }) => (by === 'autoremove' ? [name] : [])));
  const after = new Map<string, string | null>();
  for (const line of own) {
    const unpacked = /(?:^|: )Unpacking (\S+) \((\S+)\) (?:over \((\S+)\) )?\.\.\./.exec(line);
    const removed = /(?:^|: )Removing (\S+) \((\S+)\) \.\.\./.exec(line);
    const name = (unpacked ?? removed)?.[1]?.replace(/:.*/, '');
    if (name === undefined) continue;
    if (!before.has(name)) before.set(name, (unpacked ? unpacked[3] : removed?.[2]) ?? null);
    after.set(name, unpacked?.[2] ?? null);
  }
  const changes = changesBetween(before, after);
  const removed = changes.removed.map((each) =>
    spare.has(each.name) ? { ...each, by: 'autoremove' as const } : each,
  );
  return { ...changes, removed };
}

function removalsIn(own: readonly string[]): PackageChanges['removed'] {
  return own.flatMap((line) => {
    const [, how, name = '', from = ''] =
      new RegExp(`${PLAN_LINE}(remove|autoremove) (\\S+) (\\S+)`).exec(line) ?? [];
    if (how === undefined) return [];
    const by = how === 'autoremove' ? ('autoremove' as const) : ('upgrade' as const);
    return [{ name: name.replace(/:.*/, ''), from, by }];
  });
}

/** The names stand below the headline, two spaces in. */
function keptBack(own: readonly string[]): string[] {
  const at = own.findLastIndex((line) => line.includes('packages have been kept back:'));
  if (at < 0) return [];
  const names: string[] = [];
  for (const line of own.slice(at + 1)) {
    const indented = /(?:^|: ) {2}(\S.*)$/.exec(line)?.[1];
    if (indented === undefined) break;
    names.push(...indented.split(/\s+/));
  }
  return names.sort();
}

/** The plan that the script prints, a change a line; else what apt prints: "13 upgraded, 1 newly installed, 0 to remove and 1 not upgraded." of each apt-get that did something: the most counts. */
function toDoIn(own: readonly string[]): number | null {
  const planned = own.filter((line) => line.includes(PLAN_LINE)).length;
  if (planned > 0) return planned;
  const counts = own.flatMap((line) => {
    const match = /(\d+) upgraded, (\d+) newly installed, (\d+) to remove/.exec(line);
    return match ? [Number(match[1]) + Number(match[2]) + Number(match[3])] : [];
  });
  return counts.length === 0 ? null : Math.max(...counts);
}
