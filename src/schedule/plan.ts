import type { Policy } from '../config/schema.js';
import { type Interval, nextAllowed } from './window.js';

/** A time at which the host is used, or may be. Epoch seconds. */
export interface Busy extends Interval {
  /** Its source: "pve:main", "pbs", "policy", "boot". */
  readonly source: string;
  readonly label: string;
  /** True where the end is an estimate. */
  readonly estimated: boolean;
  /** Stands for what a server did not tell: it is busy at any time then. */
  readonly unanswered?: true;
  /** It is so now, and its end is not known. */
  readonly endless?: true;
  /** Stands for all further runs of a schedule that has more than are listed. */
  readonly goesOn?: true;
}

/** When a host is busy and when a whole run fits. Times in epoch seconds. */
export interface Plan extends Interval {
  readonly busy: readonly Busy[];
  /** Intervals in which a run may begin and end; each has room for a whole one. */
  readonly free: readonly Interval[];
  /** The first run that fits; null where none does. */
  readonly next: Interval | null;
}

type Limits = Pick<Policy, 'maintenanceDuration' | 'backupMargin' | 'maintenanceWindow' | 'blackouts'> &
  Partial<Pick<Policy, 'pbsJobs'>>;

/**
 * Free is the time between the end of one job and, less the policy's margin, the start of the next, within the
 * maintenance window and outside blackouts. Pure.
 */
export function planOf(busy: readonly Busy[], policy: Limits, { from, to }: Interval, zone: string): Plan {
  const [need, margin] = [policy.maintenanceDuration / 1000, policy.backupMargin / 1000];
  const groups = byBeginning(busy);
  const counts = busy.filter(
    ({ source, endless, unanswered }) =>
      source !== 'pbs' || policy.pbsJobs !== 'warn' || endless || unanswered,
  );
  const taken = merged(byBeginning(counts).map(({ from, until }) => ({ from: from - margin, to: until })));
  const free = gaps(taken, { from, to }).flatMap((gap) => allowedIn(gap, policy, need, zone));
  const [first] = free;
  return {
    from,
    to,
    busy: groups.flatMap(({ entries }) => entries.filter((each) => each.to > from && each.from < to)),
    free,
    next: first ? { from: first.from, to: first.from + need } : null,
  };
}

/** In order of their beginnings. Thousands of jobs share a few schedules, so there are far fewer groups than jobs. */
function byBeginning(busy: readonly Busy[]): Array<{ from: number; until: number; entries: Busy[] }> {
  const groups = new Map<number, Busy[]>();
  for (const each of busy) {
    const group = groups.get(each.from);
    if (group) group.push(each);
    else groups.set(each.from, [each]);
  }
  return [...groups]
    .sort(([a], [b]) => a - b)
    .map(([from, entries]) => {
      entries.sort((a, b) => a.to - b.to);
      return { from, until: entries.at(-1)?.to ?? from, entries };
    });
}

/** Intervals that overlap or touch become one; the input is sorted by beginning. */
function merged(stretches: readonly Interval[]): Interval[] {
  const result: Interval[] = [];
  for (const { from, to } of stretches) {
    const last = result.at(-1);
    if (last && from <= last.to) result[result.length - 1] = { from: last.from, to: Math.max(last.to, to) };
    else result.push({ from, to });
  }
  return result;
}

function gaps(taken: readonly Interval[], { from, to }: Interval): Interval[] {
  const edges = [...taken.filter((each) => each.to > from && each.from < to), { from: to, to }];
  let free = from;
  return edges.flatMap((each) => {
    const gap = { from: free, to: each.from };
    free = Math.max(free, each.to);
    return gap.to > gap.from ? [gap] : [];
  });
}

function allowedIn(gap: Interval, policy: Limits, need: number, zone: string): Interval[] {
  const found: Interval[] = [];
  for (let at = gap.from; at < gap.to; ) {
    const open = nextAllowed(policy, at, need, zone);
    if (!open || open.from >= gap.to) break;
    const stretch = { from: Math.max(open.from, gap.from), to: Math.min(open.to, gap.to) };
    if (stretch.to - stretch.from >= need) found.push(stretch);
    at = open.to;
  }
  return found;
}
