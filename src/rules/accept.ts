import type { Finding } from '../journal/document.js';
import type { Acceptance } from '../journal/records.js';

/** The findings of `verify`. */
export const VERIFY_IDS = [
  'verify.datastores',
  'verify.mounts',
  'verify.services',
  'verify.units',
  'verify.packages',
  'verify.kernel',
  'verify.inventory',
  'verify.storages',
  'verify.api',
  'verify.clock',
] as const;
export type VerifyId = (typeof VERIFY_IDS)[number];

/** `--accept ID=REASON`. */
export interface Accepting {
  readonly id: VerifyId;
  readonly reason: string;
}

/** What a person answers for, by what was last reported; `why` where that cannot be accepted. Pure. */
export function acceptanceOf(
  reported: readonly Finding[],
  { id, reason }: Accepting,
): Acceptance | { readonly why: string } {
  const found = reported.find((each) => each.id === id);
  if (found?.acceptable) return { id, reason, said: found.acceptable };
  if (found?.status !== 'block') return { why: `${id} is not accepted: nothing was found that needs it` };
  return {
    why: `${id} cannot be accepted, since something is missing or not known: ${found.summary}`,
  };
}

/** A block of which every item is accepted is a warning with the reason; one item more, and it blocks. Pure. */
export function withAccepted(findings: readonly Finding[], accepted: readonly Acceptance[]): Finding[] {
  return findings.map((finding) => {
    const { id, status, summary, acceptable } = finding;
    const by = accepted.find((each) => each.id === id);
    if (!by || status !== 'block' || !acceptable?.every((item) => by.said.includes(item))) return finding;
    return { ...finding, status: 'warn', summary: `${summary}; accepted: ${by.reason}` };
  });
}
