import type { Finding } from '../journal/document.js';
import { isSeen, type Softener } from './rounds.js';

/** What a run may continue with. */
export interface Softening {
  /** The reason of `--ignore-window`; null where it was not given. */
  readonly ignoredWindow: string | null;
  /** Longest wait under the fence for what uses a datastore, milliseconds; without it nothing is waited for. */
  readonly drainMs?: number;
}

/** True for a block that the drain may wait for. */
export const isDrainable = (finding: Finding, by: Softener | undefined): boolean =>
  by === 'drain' && isSeen(finding);

/** A block that this run may continue with is a warning, with the reason. What could not be determined still blocks. */
export function softened(
  finding: Finding,
  by: Softener | undefined,
  { ignoredWindow, drainMs = 0 }: Softening,
): Finding {
  const { summary } = finding;
  if (drainMs > 0 && isDrainable(finding, by))
    return { ...finding, status: 'warn', summary: `${summary} (will be waited for)` };
  if (by === 'ignore-window' && ignoredWindow !== null && isSeen(finding))
    return { ...finding, status: 'warn', summary: `${summary}; ignored: ${ignoredWindow}`, retryAfter: null };
  return finding;
}
