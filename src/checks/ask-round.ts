import type { Answers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import { type Round, timeNeeded } from '../rules/rounds.js';
import { isDrainable, type Softening, softened } from '../rules/softened.js';
import { checksOf } from './catalogue.js';
import { type Asking, runChecks } from './check.js';
import { withNever } from './outlook.js';

interface Given extends Softening, Partial<Pick<Asking, 'ownTasks' | 'upgradeBegun'>> {
  /** How long the run has worked on the host, milliseconds. */
  readonly worked?: number;
}

/**
 * Every check of a round, softened by what this run may continue with. Where something is there to drain, the
 * time that the drain may take has to fit as well.
 */
export async function askRound(
  round: Round,
  answers: Answers,
  { worked = 0, ownTasks = [], upgradeBegun = false, ...softening }: Given,
): Promise<Finding[]> {
  const { drainMs = 0 } = softening;
  const { policy } = answers.target;
  const checks = checksOf(round);
  const ask = (drainLeft: number) =>
    runChecks(checks, answers, {
      round,
      takes: timeNeeded(round, policy, { worked, drainLeft }),
      ownTasks,
      upgradeBegun,
    });
  const by = (index: number) => checks[index]?.rules.softenedBy;
  const seen = await ask(0);
  const drains = drainMs > 0 && seen.some((finding, index) => isDrainable(finding, by(index)));
  // Of the same answers: nothing is requested twice.
  const findings = drains ? await ask(drainMs) : seen;
  const counting = findings.map((finding, index) => softened(finding, by(index), softening));
  return round === 'preflight' ? withNever(counting, answers) : counting;
}
