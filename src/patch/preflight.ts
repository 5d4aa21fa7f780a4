import { askRound } from '../checks/ask-round.js';
import { takeBaseline } from '../checks/host-state.js';
import { NotSafe } from './gate.js';
import type { Run } from './run.js';
import { requirePlan } from './upgrade.js';

/**
 * Every check. As `recheck`, moments later and under the lock, without what still holds of the first time.
 * @throws NotSafe
 */
export async function preflight(run: Run, round: 'preflight' | 'recheck' = 'preflight'): Promise<string> {
  const { drainTimeout: drainMs } = run.host.target.policy;
  const { ignoredWindow, requiredPlan, journal } = run;
  // What is left of a plan that was begun is judged where the plan is made.
  const plan = journal.state.mode === 'check' || journal.state.upgrade === 'failed' ? 'any' : requiredPlan;
  const answers = run.host.answers(run.journal.runId, run.cache);
  const findings = await askRound(round, answers, {
    ignoredWindow,
    drainMs,
    plan,
    upgradeBegun: journal.state.attempts > 0,
  });
  for (const { id, status, summary, retryAfter: over } of findings) {
    run.reporter.emit({ event: 'check', host: run.host.target.host, id, status, summary, retryAfter: over });
  }
  run.journal.append({ type: 'checked', findings });
  requirePlan(run);
  if (findings.some(({ status }) => status === 'block')) throw new NotSafe(findings);
  if (!run.journal.state.baseline)
    run.journal.append({ type: 'baseline', baseline: await takeBaseline(answers) });
  const warned = findings.filter(({ status }) => status === 'warn').length;
  return `${findings.length} checks, ${warned === 0 ? 'all clear' : `${warned} with a warning`}`;
}
