import type { Clock } from '../world.js';

/** What came of one try. `waitMs`: how long the receiver asks to wait, null where it does not say. */
export type Try =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'again'; readonly reason: string; readonly waitMs: number | null };

const TRIES = 3;
const LONGEST_WAIT_MS = 60_000;
const PAUSES_MS = [1000, 4000] as const;

/**
 * Tries at most three times. A receiver that asks for more than a minute is not waited for: a report
 * must not keep a run from ending.
 * @returns null when it was taken, otherwise why not
 */
export async function postPatiently(
  attempt: () => Promise<Try>,
  clock: Pick<Clock, 'sleep'>,
): Promise<string | null> {
  for (let tried = 1; ; tried += 1) {
    const outcome = await attempt();
    if (outcome.kind === 'taken') return null;
    if (outcome.kind === 'refused') return outcome.reason;
    const pause = outcome.waitMs ?? PAUSES_MS[tried - 1] ?? 0;
    if (pause > LONGEST_WAIT_MS) {
      return `${outcome.reason}, and it asks to wait ${Math.ceil(pause / 1000)} s, which is too long`;
    }
    if (tried === TRIES) return `${outcome.reason} (${TRIES} tries)`;
    await clock.sleep(pause);
  }
}

/** An HTTP status as the outcome of a try: only 429 and errors of the server may be better next time. */
export function judgeStatus(status: number, words: string, retryAfter: string | null, now: number): Try {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const reason = `it answered ${status}${words === '' ? '' : ` "${words}"`}`;
  if (status === 429) return { kind: 'again', reason, waitMs: retryAfterMs(retryAfter, now) };
  if (status >= 500) return { kind: 'again', reason, waitMs: null };
  return { kind: 'refused', reason };
}

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110, 10.2.3). Null where it says neither. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/**
 * Why no answer came, in words of our own: messages of fetch quote the address, which is a secret.
 */
export function failureWords(error: unknown): string {
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    if (current.name === 'TimeoutError') return 'no answer came in time';
    const { code } = current as { code?: unknown };
    if (typeof code === 'string' && /^(E[A-Z]+|UND_[A-Z_]+|[A-Z_]*CERT[A-Z_]*|ERR_[A-Z_]+)$/.test(code)) {
      return `it cannot be reached (${code})`;
    }
  }
  return 'it cannot be reached';
}
