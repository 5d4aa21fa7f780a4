import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../world.js';
import { Journal } from './journal.js';

/**
 * Adds to the journal of a run that has ended what went wrong in telling of it, so that its report says so, too.
 * Best effort: whoever is at the terminal has been told already.
 */
export function addWarnings(
  stateDir: string,
  runId: string,
  warnings: readonly string[],
  clock: Clock,
): void {
  // `--abandon` where there was nothing to give up leaves no run on disk.
  if (warnings.length === 0 || !existsSync(join(stateDir, 'runs', runId))) return;
  try {
    const journal = Journal.reopen(stateDir, runId, clock);
    for (const text of warnings) journal.append({ type: 'warning', text });
    journal.close();
  } catch {
    // A disk that is full, for example.
  }
}
