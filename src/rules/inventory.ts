import { digestOf, type GroupLine, type NamespaceDigest } from '../journal/inventory.js';

/** A group as PBS lists it; what is compared of it does not depend on the version that lists it. */
export interface ListedGroup {
  readonly type: string;
  readonly id: string;
  readonly owner: string | null;
  readonly count: number;
  readonly newest: number;
}

/** What differs in a namespace, by group: `vm/101`. */
type Differing = 'gone' | 'fewer' | 'older' | 'replaced' | 'owner' | 'new' | 'more';

/** A group that differs; `before` and `now` in words, where one group is worth them. */
export interface Difference {
  readonly what: Differing;
  readonly group: string;
  readonly detail: string | null;
}

/** A group whose newest snapshot decides only once it is looked for among the snapshots of the group. */
interface Doubt {
  readonly group: string;
  /** When the newest was taken before. Epoch seconds. */
  readonly newest: number;
}

/**
 * The lines of a namespace. From 3.4.8 and 4.0.17 on PBS lists groups without a snapshot, before it does not: they
 * are none. The order of a list is that of a directory.
 */
export const linesOf = (groups: readonly ListedGroup[]): readonly GroupLine[] =>
  groups
    .filter(({ count }) => count > 0)
    .map(({ type, id, owner, count, newest }): GroupLine => [`${type}/${id}`, owner ?? '', count, newest])
    .sort(([one], [other]) => (one < other ? -1 : 1));

export const namespaceOf = (ns: string, lines: readonly GroupLine[]): NamespaceDigest => ({
  ns,
  groups: lines.length,
  snapshots: lines.reduce((sum, [, , count]) => sum + count, 0),
  digest: digestOf(lines),
});

/**
 * The groups of a namespace before and now.
 * @param exact nothing could be added or removed in between; else only what is missing counts
 */
export function compareGroups(
  before: readonly GroupLine[],
  now: readonly GroupLine[],
  exact: boolean,
): { readonly differences: readonly Difference[]; readonly doubts: readonly Doubt[] } {
  const differences: Difference[] = [];
  const doubts: Doubt[] = [];
  const left = new Map(now.map((line) => [line[0], line]));
  for (const line of before) {
    const [group, , , newest] = line;
    const found = left.get(group);
    left.delete(group);
    const differs = found ? differing(line, found, exact) : { what: 'gone' as const, detail: null };
    if (differs === 'in doubt') doubts.push({ group, newest });
    else if (differs) differences.push({ group, ...differs });
  }
  if (exact) for (const group of left.keys()) differences.push({ what: 'new', group, detail: null });
  return { differences, doubts };
}

function differing(
  [, owner, count, newest]: GroupLine,
  [, ownerNow, countNow, newestNow]: GroupLine,
  exact: boolean,
): Omit<Difference, 'group'> | 'in doubt' | null {
  if (ownerNow !== owner) return { what: 'owner', detail: `${owner} before, ${ownerNow} now` };
  // What came since explains as many snapshots, and no fewer: where the newest is newer, one at least.
  const least = !exact && newestNow > newest ? count + 1 : count;
  if (countNow < least) return { what: 'fewer', detail: `${count} before, ${countNow} now` };
  if (exact && countNow > count) return { what: 'more', detail: `${count} before, ${countNow} now` };
  if (newestNow > newest) return exact ? { what: 'replaced', detail: null } : null;
  // Before 3.4.8 and 4.0.17 an unfinished snapshot is named as the newest, later only a finished one.
  return newestNow < newest ? 'in doubt' : null;
}

/** What becomes of a doubt. @param times of all snapshots of that group now. Pure. */
export const settled = ({ group, newest }: Doubt, times: readonly number[]): Difference | null =>
  times.includes(newest) ? null : { what: 'older', group, detail: null };

const NAMED = 5;

/** "tank: 3 groups of namespace prod are gone: vm/101, vm/102, vm/103" for each kind of difference. */
export function inWords(store: string, ns: string, differences: readonly Difference[]): string[] {
  const byKind = new Map<Differing, Difference[]>();
  for (const each of differences) byKind.set(each.what, [...(byKind.get(each.what) ?? []), each]);
  return [...byKind].map(([what, those]) => {
    const named = those.slice(0, NAMED).map(({ group, detail }) => (detail ? `${group} (${detail})` : group));
    const more = those.length > NAMED ? ` and ${those.length - NAMED} more` : '';
    const where = ns === '' ? '' : ` of namespace ${ns}`;
    const [one, many] = WORDS[what];
    const groups = those.length === 1 ? `1 group${where} ${one}` : `${those.length} groups${where} ${many}`;
    return `${store}: ${groups}: ${named.join(', ')}${more}`;
  });
}

const WORDS: Readonly<Record<Differing, readonly [one: string, many: string]>> = {
  gone: ['is gone', 'are gone'],
  fewer: ['has fewer snapshots', 'have fewer snapshots'],
  older: ['has lost its newest snapshot', 'have lost their newest snapshots'],
  replaced: ['has another newest snapshot', 'have other newest snapshots'],
  owner: ['has another owner', 'have another owner'],
  new: ['is new', 'are new'],
  more: ['has more snapshots', 'have more snapshots'],
};
