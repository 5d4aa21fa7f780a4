import type { Clock } from './world.js';

/** How a wait looks again. Milliseconds, by the monotonic clock. */
export interface Polling {
  readonly everyMs: number;
  /** The first pause, which doubles up to `everyMs`. */
  readonly firstMs?: number;
  /** The longest wait; absent where only the signal ends it. */
  readonly limitMs?: number;
  readonly signal?: AbortSignal;
}

/**
 * Looks until there is something to see: at once, then every `everyMs`, and a last time when the limit is over.
 * @param look answers with null or undefined while there is nothing yet; what it throws ends the wait
 * @returns what was seen, or null when the limit was over first
 * @throws the signal's reason
 */
export async function poll<Seen>(
  clock: Clock,
  { everyMs, firstMs = everyMs, limitMs = Number.POSITIVE_INFINITY, signal }: Polling,
  look: () => Promise<Seen | null | undefined>,
): Promise<Seen | null> {
  const deadline = clock.monotonic() + limitMs;
  for (let pause = firstMs; ; pause = Math.min(pause * 2, everyMs)) {
    signal?.throwIfAborted();
    const seen = await look();
    if (seen !== null && seen !== undefined) return seen;
    const left = deadline - clock.monotonic();
    if (left <= 0) return null;
    await clock.sleep(Math.min(pause, left), signal);
  }
}

interface Retrying {
  readonly tries: number;
  /** Before the next try, milliseconds; null for an error that another try would not help. `tried` counts from 1. */
  pauseMs(error: unknown, tried: number): number | null;
}

/** Acts, and acts again after what fails in passing. @throws the error of the last try */
export async function retry<Result>(
  clock: Pick<Clock, 'sleep'>,
  { tries, pauseMs }: Retrying,
  act: () => Promise<Result>,
): Promise<Result> {
  for (let tried = 1; ; tried += 1) {
    try {
      return await act();
    } catch (error) {
      const pause = tried < tries ? pauseMs(error, tried) : null;
      if (pause === null) throw error;
      await clock.sleep(pause);
    }
  }
}
