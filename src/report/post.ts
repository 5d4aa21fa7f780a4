import { retry } from '../poll.js';
import type { Clock, World } from '../world.js';
import { byWayOf, type Fetch, withWeb } from './web.js';

const TRIES = 3;
const PAUSES_MS = [1000, 4000] as const;
const LONGEST_WAIT_MS = 60_000;

/**
 * Posts, in at most three tries. A receiver that asks for a pause of more than a minute is given up: a report
 * must not delay the end of a run.
 * @param send posts with the given `fetch`, which follows no redirect, so that a report goes only where the
 *   config says, and which gives up after `timeoutMs`
 * @returns null once it is accepted, otherwise why not, without the address, which is a secret
 */
export async function post(
  send: (fetch: Fetch) => Promise<unknown>,
  {
    clock,
    env,
    timeoutMs,
  }: {
    readonly clock: Pick<Clock, 'now' | 'sleep' | 'timeout'>;
    readonly env: World['env'];
    readonly timeoutMs: number;
  },
): Promise<string | null> {
  const pauseMs = (error: unknown, tried: number) =>
    error instanceof NotTaken && error.again && !error.tooLong
      ? (error.waitMs ?? PAUSES_MS[tried - 1] ?? 0)
      : null;
  try {
    await retry(clock, { tries: TRIES, pauseMs }, async () => {
      const outcome = await attempt(send, { clock, env, timeoutMs });
      if (outcome.kind !== 'taken') throw new NotTaken(outcome);
    });
    return null;
  } catch (error) {
    if (!(error instanceof NotTaken)) throw error;
    const { message, again, tooLong, waitMs } = error;
    if (tooLong)
      return `${message}, and it asks to wait ${Math.ceil((waitMs ?? 0) / 1000)} s, which is too long`;
    return again ? `${message} (${TRIES} tries)` : message;
  }
}

/** The result of one try. `waitMs`: the pause that the receiver requests, if any. */
type Try =
  | { readonly kind: 'taken' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'again'; readonly reason: string; readonly waitMs: number | null };

class NotTaken extends Error {
  readonly again: boolean;
  readonly waitMs: number | null;
  readonly tooLong: boolean;

  constructor(outcome: Exclude<Try, { kind: 'taken' }>) {
    super(outcome.reason);
    this.again = outcome.kind === 'again';
    this.waitMs = outcome.kind === 'again' ? outcome.waitMs : null;
    this.tooLong = (this.waitMs ?? 0) > LONGEST_WAIT_MS;
  }
}

async function attempt(
  send: (fetch: Fetch) => Promise<unknown>,
  { clock, env, timeoutMs }: { clock: Pick<Clock, 'now' | 'timeout'>; env: World['env']; timeoutMs: number },
): Promise<Try> {
  let answer: Response | undefined;
  let way = '';
  let failure: unknown;
  try {
    await withWeb(env, (fetch) =>
      send(async (url, init) => {
        way = byWayOf(String(url), env);
        answer = await fetch(url, { ...init, redirect: 'manual', signal: clock.timeout(timeoutMs) });
        return answer;
      }),
    );
  } catch (error) {
    failure = error;
  }
  // A good answer that was cut off may not have been one.
  if (!answer || (failure !== undefined && answer.ok)) {
    return { kind: 'again', reason: `${failureWords(failure)}${way}`, waitMs: null };
  }
  return judgeStatus(answer.status, wordIn(failure), answer.headers.get('retry-after'), clock.now());
}

/** Only 429 and errors of the server are worth another try. */
export function judgeStatus(status: number, word: string, retryAfter: string | null, now: number): Try {
  if (status >= 200 && status < 300) return { kind: 'taken' };
  const reason = `it answered ${status}${word === '' ? '' : ` "${word}"`}`;
  if (status === 429) return { kind: 'again', reason, waitMs: retryAfterMs(retryAfter, now) };
  if (status >= 500) return { kind: 'again', reason, waitMs: null };
  return { kind: 'refused', reason };
}

/** `Retry-After` in milliseconds: seconds, or a date (RFC 9110, 10.2.3). Null for anything else. */
export function retryAfterMs(header: string | null, now: number): number | null {
  if (header === null) return null;
  if (/^\s*\d+\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}

/** Slack names its reasons in one word, such as `invalid_blocks`; anything else could quote the address. */
function wordIn(failure: unknown): string {
  const { body = '' } = (failure ?? {}) as { body?: unknown };
  return typeof body === 'string' && /^[a-z][a-z_]{0,40}$/.test(body.trim()) ? body.trim() : '';
}

/** Why no answer came, without the messages of fetch, which quote the address. Slack's library wraps them. */
export function failureWords(error: unknown): string {
  for (let current: unknown = error; current instanceof Error; ) {
    if (current.name === 'TimeoutError') return 'no answer came in time';
    const { code, original } = current as { code?: unknown; original?: unknown };
    if (typeof code === 'string' && /^(E[A-Z]+|UND_[A-Z_]+|[A-Z_]*CERT[A-Z_]*|ERR_[A-Z_]+)$/.test(code)) {
      return `it cannot be reached (${code})`;
    }
    current = original ?? current.cause;
  }
  return 'it cannot be reached';
}
