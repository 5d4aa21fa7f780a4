import type { Finding } from '../journal/document.js';
import type { Journal } from '../journal/journal.js';
import { type Accepting, acceptanceOf } from '../rules/accept.js';

/**
 * Journals what a person answers for in this run.
 * @param reported the findings of `verify` as they were last reported
 * @returns why something is not accepted, a line each
 */
export function accept(
  journal: Pick<Journal, 'append'>,
  reported: readonly Finding[],
  wanted: readonly Accepting[],
): string[] {
  return wanted.flatMap((each) => {
    const acceptance = acceptanceOf(reported, each);
    if ('why' in acceptance) return [acceptance.why];
    journal.append({ type: 'accepted', ...acceptance });
    return [];
  });
}
