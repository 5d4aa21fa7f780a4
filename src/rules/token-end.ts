import type { TokenFacts } from '../api/account.js';
import { formatDuration } from '../config/quantity.js';
import { isoFromSeconds, utcMoment } from '../moment.js';

const WARN_SECONDS = 14 * 86_400;

/** One of the two that a token needs: itself, and its user. */
export type Ends = 'token' | 'user';

/** Until when a token is accepted. */
interface TokenEnd {
  /** `block`: it is over before a run would be; `warn`: within 14 days. */
  readonly status: 'pass' | 'warn' | 'block';
  /** After "TOKEN ": "ends on …", with the time; null: it does not end, as far as is known. */
  readonly words: string | null;
  /** Epoch seconds of the first end. */
  readonly at: number | null;
  /** What ends too soon, first things first. */
  readonly soon: readonly Ends[];
  /** What is not known of it. */
  readonly unknown: string | null;
}

/**
 * Preflight and doctor judge alike.
 * @param now epoch seconds
 * @param takes how long a run needs from now on, seconds
 */
export function tokenEnd(facts: TokenFacts, now: number, takes: number): TokenEnd {
  const unknown =
    facts.userExpiresAt === undefined
      ? `whether its user expires is not known${facts.unknown ? `: ${facts.unknown}` : ''}`
      : null;
  const ends = [
    { who: 'token' as const, at: facts.expiresAt },
    { who: 'user' as const, at: facts.userExpiresAt ?? null },
  ]
    .flatMap(({ who, at }) => (at === null ? [] : [{ who, at }]))
    .sort((a, b) => a.at - b.at);
  const [first] = ends;
  if (!first) return { status: 'pass', words: null, at: null, soon: [], unknown };
  const left = first.at - now;
  const whose = first.who === 'user' ? ', with its user,' : '';
  const moment = utcMoment(isoFromSeconds(first.at));
  return {
    status: left < takes ? 'block' : left < WARN_SECONDS ? 'warn' : 'pass',
    words:
      left <= 0
        ? `ended${whose} at ${moment}`
        : `ends${whose} at ${moment} (in ${formatDuration(left * 1000)})`,
    at: first.at,
    soon: ends.filter(({ at }) => at - now < Math.max(takes, WARN_SECONDS)).map(({ who }) => who),
    unknown,
  };
}
