import { Temporal } from 'temporal-polyfill';
import type { Target } from '../config/target.js';
import type { Answers } from '../host/answers.js';
import { busyTimes } from './busy-times.js';
import { type Plan, planOf } from './plan.js';

/** The time zone of this host's times: that of its maintenance window, else this machine's. */
export const zoneOf = ({ policy }: Target): string =>
  policy.maintenanceWindow?.timezone ?? Temporal.Now.timeZoneId();

export async function planFor(answers: Answers, hours: number, zone: string): Promise<Plan> {
  const span = { from: answers.now, to: answers.now + hours * 3600 };
  // A run at the very end needs to know what comes right after it.
  const { policy } = answers.target;
  const beyond = span.to + (policy.maintenanceDuration + policy.backupMargin) / 1000;
  return planOf(await busyTimes(answers, { from: span.from, to: beyond }), policy, span, zone);
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
