import type { Target } from '../config/target.js';
import { type Busy, planOf } from './plan.js';
import type { Interval } from './window.js';

/** Why no run can ever fit, as far as schedules are known. */
interface Never {
  /** What leaves no room: jobs, or the maintenance window itself. */
  readonly why: string;
  /** What would change that. */
  readonly hint: string;
}

/** A run of a job needs at least this long to show as a task. Seconds. */
const SHORTEST = 60;
export const NEVER_DAYS = 14;

/**
 * Whether there is no gap for a whole run, however short each job were: only when jobs begin counts, since how long
 * they take is an estimate. Pure. @returns null where one fits
 */
export function neverFits(
  busy: readonly Busy[],
  { host, policy }: Pick<Target, 'host' | 'policy'>,
  span: Interval,
  zone: string,
): Never | null {
  const begins = busy
    .filter(({ endless, unanswered, source }) => !endless && !unanswered && source !== 'boot')
    .map((each) => (each.goesOn ? each : { ...each, to: Math.min(each.to, each.from + SHORTEST) }));
  const fits = (some: readonly Busy[]) => planOf(some, policy, span, zone).free.length > 0;
  if (fits(begins)) return null;
  const { maintenanceDuration, backupMargin } = policy;
  const gap = `no gap of ${minutes(maintenanceDuration + backupMargin)} minutes in the next ${NEVER_DAYS} days`;
  if (!fits([]))
    return {
      why: `${gap}: the maintenance window and the blackouts leave none`,
      hint: `Make the maintenance window longer, or maintenanceDuration (${minutes(maintenanceDuration)} min) shorter.`,
    };
  const jobs = new Map<string, Busy[]>();
  for (const each of begins) jobs.set(each.label, [...(jobs.get(each.label) ?? []), each]);
  const alone = [...jobs].filter(([, times]) => !fits(times));
  const named = (alone.length > 0 ? alone : [...jobs]).map(([label, times]) => `${label}${spacing(times)}`);
  const together = alone.length > 0 ? '' : ' together';
  return {
    why: `${gap}: ${named.slice(0, 6).join(', ')}${named.length > 6 ? ` and ${named.length - 6} more` : ''}${together}`,
    hint: `Waiting does not help. A pause of ${named.length > 1 ? 'these jobs' : 'that job'}, or a shorter maintenanceDuration (${minutes(maintenanceDuration)} min) or backupMargin (${minutes(backupMargin)} min), would; or a person who answers for it:\npbs-ctl patch --host ${host} --ignore-window REASON`,
  };
}

const minutes = (ms: number): number => Math.ceil(ms / 60_000);

/** The longest time from one run to the next. */
function spacing(times: readonly Busy[]): string {
  const gaps = times.slice(1).map(({ from }, index) => from - (times[index]?.from ?? from));
  return gaps.length === 0 ? '' : ` (every ${minutes(Math.max(...gaps) * 1000)} min)`;
}
