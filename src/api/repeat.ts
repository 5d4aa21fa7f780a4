import pRetry from 'p-retry';
import { Fault } from '../fault.js';
import type { World } from '../world.js';
import type { Deadline } from './deadline.js';

/**
 * Which requests may be sent again.
 * - `read`: only looks, so any passing failure is met by asking again.
 * - `patient-read`: as `read`, where the server is also known to refuse in passing.
 * - `brief-read`: as `read`, but not again after silence: what hangs is still open on the server, and does harm there.
 * - `swap`: a write guarded by a digest; sent again only where it provably did not arrive, since one
 *   whose answer was lost would find its own change and take it for another user's.
 * - `once`: never. Reboots, commands, starts, and questions whose answer is given only once.
 */
export type Repeat = 'read' | 'patient-read' | 'brief-read' | 'swap' | 'once';

export interface Patience {
  /** How often a request is sent again after the first time. */
  readonly retries: number;
  /** The first pause; it doubles, with jitter, up to {@link LONGEST_PAUSE_MS}. */
  readonly firstPauseMs: number;
}

const PATIENCE: Patience = { retries: 2, firstPauseMs: 250 };
const LONGEST_PAUSE_MS = 2000;

export const isRead = (repeat: Repeat): boolean => repeat.endsWith('read');

/** True when a request that failed like this may be sent again. */
function mayRepeat(repeat: Repeat, error: unknown, hurried: boolean): boolean {
  if (!(error instanceof Fault && error.kind === 'passing')) return false;
  const timedOut = 'timedOut' in error && error.timedOut === true;
  return !(timedOut && (hurried || repeat === 'brief-read'));
}

/** How what may be sent again is sent again. */
interface Repeating {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly patience?: Patience;
  /** Where there is one, only what failed at once is sent again. */
  readonly deadline?: Deadline;
  readonly signal?: AbortSignal;
}

/** Longer ones are no failure in passing: the host is away, or what answers is. */
const AT_ONCE_MS = 1000;

/**
 * Sends, and sends again where {@link mayRepeat} allows it.
 * @throws the last error; the signal's reason when it is aborted
 */
export function repeated<Answer>(
  repeat: Repeat,
  send: () => Promise<Answer>,
  { world, patience: { retries, firstPauseMs } = PATIENCE, deadline, signal }: Repeating,
): Promise<Answer> {
  if (repeat === 'once') return send();
  const longest = Math.max(firstPauseMs, LONGEST_PAUSE_MS);
  let sent = 0;
  const timed = () => {
    sent = world.clock.monotonic();
    return send();
  };
  return pRetry(timed, {
    retries,
    // It would sleep by a clock of its own.
    minTimeout: 0,
    shouldRetry: async ({ error, retriesConsumed }) => {
      const hurried = deadline !== undefined;
      if (hurried && world.clock.monotonic() - sent > AT_ONCE_MS) return false;
      if (!mayRepeat(repeat, error, hurried)) return false;
      const pause = firstPauseMs * 2 ** retriesConsumed * (1 + world.random());
      await world.clock.sleep(Math.min(pause, longest), signal);
      return true;
    },
    ...(signal ? { signal } : {}),
  });
}
