import type { Finding } from '../journal/document.js';

/** What lets a run continue where a check blocks. */
interface Softening {
  /** `--ignore-window REASON`; null where none was given. */
  readonly ignoredWindow: string | null;
  /** Longest wait under the fence for what uses a datastore; without it nothing is waited for. */
  readonly drainTimeout?: number;
}

/** What `--ignore-window` overrides: when a run may be. Never tasks, locks or health: those are what it may harm. */
const ABOUT_TIME = new Set<string>(['policy.window', 'pve.schedule', 'pbs.jobs']);
/** What the drain waits for under the fence, instead of postponing at once. */
const DRAINED = new Set<string>(['pbs.tasks', 'pve.backups']);

export const isDrained = (id: string): boolean => DRAINED.has(id);

/** A block that does not stop this run is a warning, with the reason. What could not be determined still blocks. */
export function softened(finding: Finding, { ignoredWindow, drainTimeout = 0 }: Softening): Finding {
  const { id, status, summary, detail } = finding;
  if (status !== 'block' || detail.error !== undefined) return finding;
  if (drainTimeout > 0 && isDrained(id))
    return { ...finding, status: 'warn', summary: `${summary} (will be waited for)` };
  if (ignoredWindow !== null && ABOUT_TIME.has(id))
    return { ...finding, status: 'warn', summary: `${summary}; ignored: ${ignoredWindow}`, retryAfter: null };
  return finding;
}
