import { join } from 'node:path';
import { foldJournal } from './journal.js';

/**
 * When a run took the lock of a cluster (ISO 8601), as its journal on this machine tells: the tag itself says
 * only until when. Null for a run of another machine, and for a lock that `lock acquire` or `lock hold` took.
 */
export function lockedSince(stateDir: string, run: string, cluster: string): string | null {
  // The run stands in a tag that anybody may write: it must not lead out of the folder.
  if (!/^[a-z0-9]+$/.test(run)) return null;
  try {
    // A run that went on has taken it again without ever having let it go.
    return foldJournal<string | null>(
      join(stateDir, 'runs', run, 'journal.jsonl'),
      false,
      null,
      (since, { at, event }) => {
        if (event.type === 'locked' && event.cluster === cluster) return since ?? at;
        return event.type === 'unlocked' && event.cluster === cluster ? null : since;
      },
    );
  } catch {
    return null; // no such run here, or one that this user may not read
  }
}
