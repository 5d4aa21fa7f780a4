import { EXIT, Fault } from '../fault.js';
import type { Interrupted, Signals } from '../world.js';

/**
 * SIGINT and SIGTERM. Until the upgrade begins the first one stops the run, which then undoes. While an
 * upgrade or a reboot is in flight the first one only says so, and a second one leaves.
 */
export interface Interruption {
  /** Aborted when the run has to stop now. */
  readonly signal: AbortSignal;
  /** From here on a first signal no longer stops the run. `inFlight` says what is going on, for a person. */
  protect(inFlight: string): void;
  throwIfStopped(): void;
  end(): void;
}

export function listenForInterruption(signals: Signals, say: (text: string) => void): Interruption {
  const stopped = new AbortController();
  const ended = new AbortController();
  const unheed = signals.heedSignals();
  let inFlight: string | null = null;
  const nameOf = ({ reason }: AbortSignal) => (reason as Interrupted).signal;
  const end = (signal: AbortSignal) => {
    const during = inFlight === null ? '' : ` while ${inFlight}`;
    stopped.abort(
      new Fault('run.interrupted', `Interrupted by ${nameOf(signal)}${during}.`, {
        exitCode: EXIT.interrupted,
      }),
    );
  };
  const first = () => {
    if (inFlight === null) return end(signals.stop);
    say(
      `${nameOf(signals.stop)}: ${inFlight}. Waiting for it; a second signal leaves it alone and ends pbs-ctl (the next patch continues it).`,
    );
  };
  signals.stop.addEventListener('abort', first, { signal: ended.signal });
  signals.now.addEventListener('abort', () => end(signals.now), { signal: ended.signal });
  // It may have come while the run was waited for.
  if (signals.stop.aborted) first();
  return {
    signal: stopped.signal,
    protect: (text) => {
      stopped.signal.throwIfAborted();
      inFlight = text;
    },
    throwIfStopped: () => stopped.signal.throwIfAborted(),
    end: () => {
      ended.abort();
      unheed();
    },
  };
}
