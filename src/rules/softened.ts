import type { Finding } from '../journal/document.js';
import { isSeen, type Softener } from './rounds.js';

/** What a run may continue with. */
export interface Softening {
  /** The reason of `--ignore-window`; null where it was not given. */
  readonly ignoredWindow: string | null;
  /** Longest wait under the fence for what uses a datastore, milliseconds; without it nothing is waited for. */
  readonly drainMs?: number;
  /** The plan that was approved, as the first digits of its digest; `any` where it is judged elsewhere, or only shown. */
  readonly plan?: string | null;
}

/** True for a block that the drain may wait for. */
export const isDrainable = (finding: Finding, by: Softener | undefined): boolean =>
  by === 'drain' && isSeen(finding);

/** A block that this run may continue with is a warning, with the reason. What could not be determined still blocks. */
export function softened(
  finding: Finding,
  by: Softener | undefined,
  { ignoredWindow, drainMs = 0, plan = null }: Softening,
): Finding {
  const { summary, detail } = finding;
  if (by === 'plan' && Array.isArray(detail.approval) && isApproved(plan, String(detail.planDigest)))
    return {
      ...finding,
      status: 'warn',
      summary: plan === 'any' ? summary : `${summary}; approved with --plan`,
    };
  if (drainMs > 0 && isDrainable(finding, by))
    return { ...finding, status: 'warn', summary: `${summary} (will be waited for)` };
  if (by === 'ignore-window' && ignoredWindow !== null && isSeen(finding))
    return { ...finding, status: 'warn', summary: `${summary}; ignored: ${ignoredWindow}`, retryAfter: null };
  return finding;
}

const isApproved = (plan: string | null, digest: string): boolean =>
  plan !== null && (plan === 'any' || digest.startsWith(plan));
