import { Temporal } from 'temporal-polyfill';
import type { Target } from '../config/target.js';
import type { Answers } from '../host/answers.js';
import { busyTimes } from './busy-times.js';
import { NEVER_DAYS, neverFits } from './never.js';
import { type Busy, type Plan, planOf } from './plan.js';
import type { Interval } from './window.js';

/** The time zone of this host's times: that of its maintenance window, else this machine's. */
export const zoneOf = ({ policy }: Target): string =>
  policy.maintenanceWindow?.timezone ?? Temporal.Now.timeZoneId();

/** What checks see of the present, see rules/present.ts. */
interface Present {
  readonly busy: readonly Busy[];
  readonly due: readonly Busy[];
  readonly inUse: boolean;
}

/** @param present goes before what schedules and past runs suggest */
export async function planFor(
  answers: Answers,
  hours: number,
  zone: string,
  present: Present = { busy: [], due: [], inUse: true },
): Promise<Plan> {
  const span = { from: answers.now, to: answers.now + hours * 3600 };
  return planWith(await busyTimes(answers, beyondOf(answers, span)), present, answers.target, span, zone);
}

/** A run at the very end needs to know what comes right after it. */
function beyondOf({ target: { policy } }: Pick<Answers, 'target'>, { from, to }: Interval): Interval {
  return { from, to: to + (policy.maintenanceDuration + policy.backupMargin) / 1000 };
}

/** A run fits now exactly where no check about time or use blocks. Pure. */
export function planWith(
  known: readonly Busy[],
  { busy, due, inUse }: Present,
  { policy }: Pick<Target, 'policy'>,
  span: Interval,
  zone: string,
): Plan {
  const begun = ({ from, unanswered }: Busy) => from <= span.from && !unanswered;
  const ahead = inUse ? known : known.filter((each) => !begun(each));
  const plan = planOf([...ahead, ...busy], policy, span, zone);
  const seemsFree = plan.next !== null && plan.next.from <= span.from;
  return seemsFree && due.length > 0 ? planOf([...ahead, ...busy, ...due], policy, span, zone) : plan;
}

/** Why no run ever fits, by the schedules of the days to come; null where one does, or where that is not known. */
export async function whyNever(answers: Answers): Promise<ReturnType<typeof neverFits>> {
  const span = { from: answers.now, to: answers.now + NEVER_DAYS * 86_400 };
  const busy = await busyTimes(answers, beyondOf(answers, span));
  return neverFits(busy, answers.target, span, zoneOf(answers.target));
}

/** What `patch --check` looks ahead; what is safe for longer needs no hurry. */
const HOURS = 24;

/**
 * Until when a whole run may begin, epoch seconds. Null where it is not safe now, or where no end is in sight.
 * `unknown`: what the servers did not answer.
 */
export async function safeUntil(
  answers: Answers,
): Promise<{ readonly until: number | null; readonly unknown: readonly string[] }> {
  const plan = await planFor(answers, HOURS, zoneOf(answers.target));
  const unknown = plan.busy.flatMap(({ label, unanswered }) => (unanswered ? [label] : []));
  return { until: lastBeginning(plan, answers.target.policy.maintenanceDuration / 1000), unknown };
}

/** Pure. @param need seconds that a whole run takes */
export function lastBeginning({ free, from, to }: Plan, need: number): number | null {
  const now = free.find((each) => each.from <= from);
  return now && now.to < to ? now.to - need : null;
}
