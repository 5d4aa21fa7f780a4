import { formatDuration } from '../config/quantity.js';
import type { Outcome } from '../config/schema.js';
import type { DatastoreState, Finding, PhaseTime, RunDocument } from '../journal/document.js';
import { utcClock, utcMoment } from '../moment.js';
import type { Tone } from './layout.js';

/** Tone and words: colour alone is never enough. */
export const OUTCOME: Readonly<Record<Outcome, { readonly tone: Tone; readonly words: string }>> = {
  patched: { tone: 'good', words: 'patched' },
  checked: { tone: 'good', words: 'checked, safe to patch' },
  postponed: { tone: 'careful', words: 'postponed, not safe now' },
  'reboot-pending': { tone: 'careful', words: 'reboot pending, packages are installed' },
  failed: { tone: 'bad', words: 'failed' },
  unverified: { tone: 'bad', words: 'unverified: rebooted, but not as it was before' },
  interrupted: { tone: 'careful', words: 'interrupted' },
  abandoned: { tone: 'careful', words: 'abandoned' },
};

/** In milliseconds. */
export const durationOf = ({ startedAt, finishedAt }: RunDocument): number =>
  Date.parse(finishedAt) - Date.parse(startedAt);

/** Never "0s", which reads as "did not happen". */
export const spanWords = (ms: number): string => (ms < 50 ? '<0.1s' : formatDuration(ms));

/**
 * How a phase ended and how long it took. In the journal the last phase of a run that was postponed is failed
 * too; here it is "stopped".
 * @param ms null where its end was not recorded
 */
export function phaseWords(
  status: PhaseTime['status'],
  ms: number | null,
  { outcome }: Pick<RunDocument, 'outcome'>,
): string {
  if (status === 'skipped') return 'skipped';
  if (ms === null) return 'not ended';
  if (status === 'done') return spanWords(ms);
  const failed = outcome === 'failed' || outcome === 'unverified';
  return `${status === 'failed' && !failed ? 'stopped' : status}, ${spanWords(ms)}`;
}

export const durationWords = (doc: RunDocument): string => spanWords(durationOf(doc));

/** "3 times in a row, since …" for a postponement that is not the first, this one included; else null. */
export function postponedWords(
  { outcome, mode, postponements: { count, since } }: RunDocument,
  time: (iso: string) => string,
): string | null {
  if (outcome !== 'postponed' || mode === 'check' || count === 0) return null;
  return `${count + 1} times in a row${since ? `, since ${time(since)}` : ''}`;
}

/** Milliseconds for which the host was down; null where that was not seen from beginning to end. */
export function downtimeOf({ reboot }: Pick<RunDocument, 'reboot'>): number | null {
  if (!reboot?.upAt) return null;
  return Date.parse(reboot.upAt) - Date.parse(reboot.downAt ?? reboot.requestedAt);
}

export interface Fact {
  readonly label: string;
  readonly lines: readonly string[];
  readonly note: string | null;
  readonly bad: boolean;
}

/** The same facts in the same order and words for every format of a report. */
export interface ReportFacts {
  readonly version: Fact | null;
  readonly kernel: Fact | null;
  readonly packages: Fact;
  readonly downtime: Fact;
  /** Null where the run did not get that far. */
  readonly datastores: Fact | null;
  /** Null where none was taken. */
  readonly inventory: Fact | null;
  readonly leftBehind: Fact;
  /** Null where no one answers for a finding of `verify`. */
  readonly accepted: Fact | null;
}

/** @param arrow between a value before and after */
export function reportFacts(doc: RunDocument, arrow = '→'): ReportFacts {
  const { before, after } = doc;
  const behind = leftBehindLines(doc);
  return {
    version: before && fact('Version', change(before.version, after?.version, arrow)),
    kernel: before && fact('Kernel', change(before.kernel, after?.kernel, arrow)),
    packages: fact('Packages', packageCounts(doc)),
    downtime: downtimeFact(doc),
    datastores: datastoresFact(doc),
    inventory: inventoryFact(doc),
    leftBehind: {
      ...fact('Left behind', 'nothing'),
      ...(behind.length > 0 ? { lines: behind, bad: true } : {}),
    },
    accepted: acceptedFact(doc),
  };
}

export const factList = (facts: ReportFacts): Fact[] =>
  Object.values(facts).filter((each: Fact | null) => each !== null);

const fact = (label: string, line: string): Fact => ({ label, lines: [line], note: null, bad: false });

const acceptedFact = ({ accepted }: RunDocument): Fact | null =>
  accepted.length === 0
    ? null
    : { ...fact('Accepted', ''), lines: accepted.map(({ id, reason }) => `${id}: ${reason}`) };

function downtimeFact(doc: RunDocument): Fact {
  const { reboot } = doc;
  if (!reboot) return fact('Downtime', 'no reboot');
  const ms = downtimeOf(doc);
  const at = (iso: string | null) => (iso ? utcClock(iso) : 'not seen');
  return {
    ...fact('Downtime', ms === null ? 'not seen back' : spanWords(ms)),
    note: `requested ${at(reboot.requestedAt)} UTC, down ${at(reboot.downAt)}, back ${at(reboot.upAt)}`,
    bad: ms === null,
  };
}

function datastoresFact({ before, after }: RunDocument): Fact | null {
  if (!before || !after) return null;
  const well = new Set(after.datastores.filter(({ state }) => state === 'ok').map(({ name }) => name));
  const of = before.datastores.map(({ name }) => name);
  const missing = of.filter((name) => !well.has(name));
  return {
    ...fact('Datastores', `${of.length - missing.length} of ${of.length} back`),
    note: missing.length > 0 ? `not back: ${missing.join(', ')}` : null,
    bad: missing.length > 0,
  };
}

function inventoryFact({ inventory, checks }: RunDocument): Fact | null {
  if (!inventory) return null;
  const { groups, snapshots, equal, differences } = inventory;
  const counts = `${counted(groups, 'group')}, ${counted(snapshots, 'snapshot')}`;
  const found = checks.find(({ id }) => id === 'verify.inventory');
  if (!found || equal === null) return fact('Inventory', `${counts}, not compared`);
  if (equal) return fact('Inventory', found.summary);
  const what =
    differences.length > 0 ? counted(differences.length, 'difference') : 'not known whether all are there';
  return { ...fact('Inventory', `${counts} before, ${what}`), bad: true };
}

const counted = (count: number, what: string) =>
  `${count.toLocaleString('en-US')} ${what}${count === 1 ? '' : 's'}`;

/** "12 upgraded, 1 new, 2 removed", without zeros. */
function packageCounts({
  packages,
  packagesKnown,
  mode,
  updatesAsOf,
}: Pick<RunDocument, 'packages' | 'packagesKnown' | 'mode' | 'updatesAsOf'>): string {
  const { upgraded, installed, removed, held } = packages;
  const counted: Array<[number, string]> = [
    [upgraded.length, mode === 'check' ? 'to upgrade' : 'upgraded'],
    [installed.length, 'new'],
    [removed.length, mode === 'check' ? 'to remove' : 'removed'],
    [held.length, 'held back'],
  ];
  const parts = counted.filter(([count]) => count > 0).map(([count, word]) => `${count} ${word}`);
  const lists =
    updatesAsOf === null ? 'how old the lists are is not known' : `lists of ${utcMoment(updatesAsOf)}`;
  const age = mode === 'check' && packagesKnown ? [lists] : [];
  // Of a run that continues, the changes so far are known.
  if (parts.length > 0)
    return [...parts, ...age, ...(packagesKnown ? [] : ['more not known yet'])].join(', ');
  if (mode === 'check') return packagesKnown ? ['nothing to upgrade', ...age].join(', ') : 'not looked at';
  return packagesKnown ? 'nothing changed' : 'not known yet';
}

function leftBehindLines({
  leftBehind: { fenced, locks, otherRuns = [] },
}: Pick<RunDocument, 'leftBehind'>): string[] {
  const runOf = (name: string) => otherRuns.find(({ datastore }) => datastore === name)?.run;
  return [
    ...fenced.map((name) => {
      const run = runOf(name);
      return `fence (read-only)${run === undefined ? '' : ` of run ${run}`} on datastore ${name}`;
    }),
    ...locks.map((name) => `lock of cluster ${name}`),
  ];
}

/** `state` is that afterwards, where the run got that far. */
export interface DatastoreChange {
  readonly name: string;
  readonly state: string;
  readonly before: DatastoreState | null;
  readonly after: DatastoreState | null;
}

/** All datastores before and after: one that did not come back is listed too. */
export function datastoreChanges({
  before,
  after,
}: Pick<RunDocument, 'before' | 'after'>): DatastoreChange[] {
  const of = (list: readonly DatastoreState[] | undefined, wanted: string) =>
    list?.find(({ name }) => name === wanted) ?? null;
  const names = [...(before?.datastores ?? []), ...(after?.datastores ?? [])].map(({ name }) => name);
  return [...new Set(names)].map((name) => {
    const [old, now] = [of(before?.datastores, name), of(after?.datastores, name)];
    const state = after ? (now?.state ?? 'missing') : (old?.state ?? 'unknown');
    return { name, state, before: old, after: now };
  });
}

/** Blocks, then warnings. */
export function troubles(checks: readonly Finding[]): Finding[] {
  const of = (status: Finding['status']) => checks.filter((check) => check.status === status);
  return [...of('block'), ...of('warn')];
}

/** A line per package: removed, new, upgraded. */
export function packageLines(
  { removed, installed, upgraded }: RunDocument['packages'],
  arrow = '->',
): string[] {
  return [
    ...removed.map(({ name, from }) => `${name} ${from} removed`),
    ...installed.map(({ name, to }) => `${name} ${to} new`),
    ...upgraded.map(({ name, from, to }) => `${name} ${from} ${arrow} ${to}`),
  ];
}

export const change = (from: string, to: string | undefined, arrow = '->'): string =>
  to === undefined || to === from ? from : `${from} ${arrow} ${to}`;
