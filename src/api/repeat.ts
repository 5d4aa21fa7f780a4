import pRetry from 'p-retry';
import { Fault } from '../fault.js';
import type { World } from '../world.js';

/**
 * Which requests may be sent again.
 * - `read`: only looks, so any passing failure is met by asking again.
 * - `patient-read`: as `read`, where the server is also known to refuse in passing.
 * - `swap`: a write guarded by a digest; sent again only where it provably did not arrive, since one
 *   whose answer was lost would find its own change and take it for another user's.
 * - `once`: never. Reboots, commands, starts, and questions whose answer is given only once.
 */
export type Repeat = 'read' | 'patient-read' | 'swap' | 'once';

export interface Patience {
  /** How often a request is sent again after the first time. */
  readonly retries: number;
  /** The first pause; it doubles, with jitter, up to {@link LONGEST_PAUSE_MS}. */
  readonly firstPauseMs: number;
}

const PATIENCE: Patience = { retries: 2, firstPauseMs: 250 };
const LONGEST_PAUSE_MS = 2000;

export const isRead = (repeat: Repeat): boolean => repeat === 'read' || repeat === 'patient-read';

/** True when a request that failed like this may be sent again. */
const mayRepeat = (error: unknown): boolean => error instanceof Fault && error.kind === 'passing';

/** How what may be sent again is sent again. */
interface Repeating {
  readonly world: Pick<World, 'clock' | 'random'>;
  readonly patience?: Patience;
  readonly signal?: AbortSignal;
}

/**
 * Sends, and sends again where {@link mayRepeat} allows it.
 * @throws the last error; the signal's reason when it is aborted
 */
export function repeated<Answer>(
  repeat: Repeat,
  send: () => Promise<Answer>,
  { world, patience: { retries, firstPauseMs } = PATIENCE, signal }: Repeating,
): Promise<Answer> {
  if (repeat === 'once') return send();
  const longest = Math.max(firstPauseMs, LONGEST_PAUSE_MS);
  return pRetry(send, {
    retries,
    // It would sleep by a clock of its own.
    minTimeout: 0,
    shouldRetry: async ({ error, retriesConsumed }) => {
      if (!mayRepeat(error)) return false;
      const pause = firstPauseMs * 2 ** retriesConsumed * (1 + world.random());
      await world.clock.sleep(Math.min(pause, longest), signal);
      return true;
    },
    ...(signal ? { signal } : {}),
  });
}
