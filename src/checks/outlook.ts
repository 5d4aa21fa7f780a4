import type { Answers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import { isAboutTime, isAboutTimeOrUse, presentOf } from '../rules/present.js';
import { isSeen } from '../rules/rounds.js';
import { planFor, whyNever, zoneOf } from '../schedule/look-ahead.js';
import type { Plan } from '../schedule/plan.js';
import { CHECKS } from './catalogue.js';
import { runChecks } from './check.js';

/** When a run fits, by what is at work now and by what is due. `never`: why none ever does, as far as known. */
export async function outlook(
  answers: Answers,
  hours: number,
): Promise<{
  readonly plan: Plan;
  readonly zone: string;
  readonly never: Awaited<ReturnType<typeof whyNever>>;
}> {
  const zone = zoneOf(answers.target);
  const findings = await runChecks(CHECKS.filter(isAboutTimeOrUse), answers);
  const { policy } = answers.target;
  const to = answers.now + hours * 3600 + (policy.maintenanceDuration + policy.backupMargin) / 1000;
  const plan = await planFor(answers, hours, zone, presentOf(findings, { from: answers.now, to }));
  const mayBeNever =
    plan.next === null && !plan.busy.some(({ endless, unanswered }) => endless || unanswered);
  return { plan, zone, never: mayBeNever ? await whyNever(answers).catch(() => null) : null };
}

/** A block about time says so where no time will ever do. */
export async function withNever(findings: readonly Finding[], answers: Answers): Promise<Finding[]> {
  const at = findings.findIndex((each) => each.status === 'block' && isAboutTime(each) && isSeen(each));
  // How a wait ends is worth no failure: what blocks is known.
  const never = at < 0 ? null : await whyNever(answers).catch(() => null);
  if (never === null) return [...findings];
  const { why, hint } = never;
  return findings.map((each, index) =>
    index === at
      ? {
          ...each,
          summary: `${each.summary}; ${why}`,
          detail: { ...each.detail, never: why, hint },
          retryAfter: null,
        }
      : each,
  );
}
