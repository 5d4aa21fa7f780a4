import type { Finding } from '../journal/document.js';
import type { Inventory } from '../journal/inventory.js';
import { isoFromSeconds } from '../moment.js';

/** What the comparison of one datastore came to; each list is of lines for people. */
export interface Compared {
  readonly name: string;
  /** Nothing could come or go in between. */
  readonly isExact: boolean;
  /** Listed from the cache of an S3 store. */
  readonly isCached: boolean;
  readonly groups: number;
  readonly snapshots: number;
  readonly missing: readonly string[];
  /** What was not there before, where nothing may have come. */
  readonly added: readonly string[];
  /** Snapshots that a prune task has removed. */
  readonly pruned: readonly string[];
  readonly unknown: readonly string[];
  readonly remarks: readonly string[];
  /** How far the newest snapshot was read. */
  readonly read: 'nothing' | 'manifest' | 'blob';
}

/**
 * `verify.inventory`. Pure.
 * @param inventory null where none was taken before
 * @param isOpen the run has not come to its end; where it has, much may have happened since, and nothing blocks
 */
export function contentsFinding(
  inventory: Inventory | null,
  { isOpen, stores }: { readonly isOpen: boolean; readonly stores: readonly Compared[] },
): Finding {
  if (!inventory)
    return finding('warn', 'not compared: the last run took no inventory before its upgrade', {
      equal: null,
      differences: [],
    });
  const all = (list: 'missing' | 'added' | 'unknown' | 'remarks' | 'pruned') =>
    stores.flatMap((store) => store[list]);
  const [missing, added, unknown] = [all('missing'), all('added'), all('unknown')];
  const differences = [...missing, ...added];
  const said = [...all('pruned'), ...all('remarks'), ...cached(stores)];
  const problems = [...differences, ...unknown];
  const detail = { equal: problems.length === 0, differences };
  if (problems.length === 0) {
    const summary = [asBefore(inventory, isOpen, stores), ...said].join('; ');
    const isWorthALook = isOpen && all('pruned').length > 0;
    return finding(isWorthALook || all('remarks').length > 0 ? 'warn' : 'pass', summary, detail);
  }
  if (!isOpen) {
    const since = `since ${isoFromSeconds(inventory.takenAt)}, the last run: `;
    return finding('warn', `${since}${[...problems, ...said].join('; ')}`, detail);
  }
  const blocked = finding('block', [...problems, ...said].join('; '), detail);
  // A person may know who has added something; what is missing or not known needs the fence.
  return missing.length + unknown.length === 0 ? { ...blocked, acceptable: added } : blocked;
}

const counted = (count: number, what: string) =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;

function asBefore(inventory: Inventory, isOpen: boolean, stores: readonly Compared[]): string {
  const sum = (what: 'groups' | 'snapshots') => stores.reduce((total, store) => total + store[what], 0);
  const isExact = stores.every((store) => store.isExact);
  const what = isExact ? 'all as before' : 'nothing that was there before is missing';
  const when = isOpen ? '' : ` (at ${isoFromSeconds(inventory.takenAt)})`;
  const counts = `${counted(sum('groups'), 'group')}, ${counted(sum('snapshots'), 'snapshot')}`;
  return `${counts}, ${what}${when}${readWords(stores)}`;
}

function readWords(stores: readonly Compared[]): string {
  const read = stores.filter((store) => store.read !== 'nothing');
  if (read.length === 0) return '';
  const which = read.length === stores.length ? 'each datastore' : read.map(({ name }) => name).join(', ');
  const blob = read.every((store) => store.read === 'blob') ? ', and a file of it bit by bit' : '';
  return `; newest manifest of ${which} read${blob}`;
}

const cached = (stores: readonly Compared[]): string[] =>
  stores.flatMap(({ name, isCached }) =>
    isCached ? [`${name} is an S3 store and answers from its local cache`] : [],
  );

const finding = (status: Finding['status'], summary: string, detail: Finding['detail']): Finding => ({
  id: 'verify.inventory',
  status,
  summary,
  detail,
  retryAfter: null,
});
