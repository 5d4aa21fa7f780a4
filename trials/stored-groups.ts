import fc from 'fast-check';
import { compareGroups, type ListedGroup, linesOf, namespaceOf, settled } from '../src/rules/inventory.js';

interface StoredSnapshot {
  readonly time: number;
  readonly unfinished: boolean;
}

/** A group as it lies on a disk. */
export interface StoredGroup {
  readonly type: string;
  readonly id: string;
  readonly owner: string;
  readonly snapshots: readonly StoredSnapshot[];
}

type Listing = (groups: readonly StoredGroup[]) => ListedGroup[];

const line = ({ type, id, owner, snapshots }: StoredGroup, newest: number): ListedGroup => ({
  ...{ type, id, owner, newest },
  count: snapshots.length,
});
const latest = (snapshots: readonly StoredSnapshot[]) => Math.max(0, ...snapshots.map(({ time }) => time));

/** As 3.4.1 and 4.0.11 list it. */
export const OLD: Listing = (groups) =>
  groups.filter(({ snapshots }) => snapshots.length > 0).map((group) => line(group, latest(group.snapshots)));

/** As 3.4.8, 4.0.17 and all later ones list it. */
export const NEW: Listing = (groups) =>
  groups.map((group) => {
    const finished = group.snapshots.filter(({ unfinished }) => !unfinished);
    return line(group, latest(finished.length > 0 ? finished : group.snapshots));
  });

/** When the snapshots of a group were taken, as PBS lists them. */
const timesOf = (groups: readonly StoredGroup[], name: string): number[] =>
  groups.find(({ type, id }) => `${type}/${id}` === name)?.snapshots.map(({ time }) => time) ?? [];

/** Any datastore, with empty groups and unfinished snapshots. */
export const world: fc.Arbitrary<StoredGroup[]> = fc.uniqueArray(
  fc.record({
    type: fc.constantFrom('vm', 'ct', 'host'),
    id: fc.integer({ min: 100, max: 140 }).map(String),
    owner: fc.constantFrom('pve@pbs!main', 'pve@pbs!remote'),
    snapshots: fc.uniqueArray(
      fc.record({ time: fc.integer({ min: 1, max: 2000 }), unfinished: fc.boolean() }),
      { selector: ({ time }) => time, maxLength: 8 },
    ),
  }),
  { selector: ({ type, id }) => `${type}/${id}`, maxLength: 30 },
);

/** What differs between two listings of stores, once each doubt is settled by the snapshots of its group. */
export function found(
  before: readonly StoredGroup[],
  after: readonly StoredGroup[],
  { from = OLD, to = NEW, exact = true } = {},
): string[] {
  const [old, now] = [linesOf(from(before)), linesOf(to(after))];
  if (namespaceOf('', old).digest === namespaceOf('', now).digest) return [];
  const { differences: told, doubts } = compareGroups(old, now, exact);
  const more = doubts.flatMap((doubt) => settled(doubt, timesOf(after, doubt.group)) ?? []);
  return [...told, ...more].map(({ what, group }) => `${group} ${what}`);
}
