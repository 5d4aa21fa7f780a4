import type { Finding } from '../journal/document.js';

/** What `--ignore-window` overrides: when a run may be. Never tasks, locks or health: those are what it may harm. */
const ABOUT_TIME = new Set<string>(['policy.window', 'pve.schedule', 'pbs.jobs']);

/** A block that somebody answers for is a warning with the reason. What could not be determined still blocks. */
export function overridden(finding: Finding, reason: string | null): Finding {
  const applies =
    finding.status === 'block' && ABOUT_TIME.has(finding.id) && finding.detail.error === undefined;
  if (reason === null || !applies) return finding;
  return { ...finding, status: 'warn', summary: `${finding.summary}; ignored: ${reason}`, retryAfter: null };
}
