import type { Outcome } from '../config/schema.js';
import { EXIT, type ExitCode, Fault, helpsToWait } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import type { RunState } from '../journal/state.js';

/** How a run ends by what stopped it. */
export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Fault)) return 'failed';
  if (error.exitCode === EXIT.interrupted) return 'interrupted';
  if (error.exitCode === EXIT.unverified) return 'unverified';
  return isLater(error) ? 'postponed' : 'failed';
}

/** Not safe now, or not reachable now: waiting may help. */
export const isLater = (error: unknown): boolean =>
  helpsToWait(error) || (error instanceof Fault && error.exitCode === EXIT.tryLater);

/** What a run ends as once it has taken back what it could, and whether the next `patch` continues it. */
export function ending(
  { upgrade, reboot, fenced, locks }: Pick<RunState, 'upgrade' | 'reboot' | 'fenced' | 'locks'>,
  outcome: Outcome,
): { readonly outcome: Outcome; readonly open: boolean } {
  const unverified = reboot !== null && outcome === 'postponed';
  const touched = upgrade === 'begun' || upgrade === 'failed' || fenced.length > 0 || unverified;
  const isDone = outcome === 'patched' || outcome === 'checked';
  // A lock alone is no reason to continue a run that has come to its end: the next one releases it.
  const needsLock = outcome !== 'postponed' && outcome !== 'reboot-pending' && locks.length > 0;
  return {
    // A run that has touched the host is not "postponed", whatever stopped it.
    outcome: outcome === 'postponed' && touched ? 'failed' : outcome,
    open: !isDone && (touched || needsLock),
  };
}

const EXIT_OF: Readonly<Record<Outcome, ExitCode>> = {
  patched: EXIT.done,
  checked: EXIT.done,
  postponed: EXIT.tryLater,
  'reboot-pending': EXIT.tryLater,
  failed: EXIT.failed,
  unverified: EXIT.unverified,
  interrupted: EXIT.interrupted,
  abandoned: EXIT.done,
};

/** The exit code of a run. */
export function exitCodeOf({ outcome, leftBehind }: Pick<RunDocument, 'outcome' | 'leftBehind'>): ExitCode {
  const { fenced, locks, otherRuns = [] } = leftBehind;
  const own = fenced.filter((name) => !otherRuns.some(({ datastore }) => datastore === name));
  if (outcome === 'abandoned' && own.length + locks.length > 0) return EXIT.failed;
  return EXIT_OF[outcome];
}
