import { EXIT, Fault } from '../fault.js';
import type { World } from '../world.js';

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

export function listenForInterruption(world: World, say: (text: string) => void): Interruption {
  const stop = new AbortController();
  let inFlight: string | null = null;
  let warned = false;
  const off = world.onSignal((signal) => {
    if (inFlight !== null && !warned) {
      warned = true;
      say(
        `${signal}: ${inFlight}. Waiting for it; a second signal leaves it alone and ends pbs-ctl (the next patch goes on with it).`,
      );
      return;
    }
    stop.abort(
      new Fault(
        'run.interrupted',
        `Interrupted by ${signal}${inFlight === null ? '' : ` while ${inFlight}`}.`,
        {
          exitCode: EXIT.interrupted,
        },
      ),
    );
  });
  return {
    signal: stop.signal,
    protect: (text) => {
      stop.signal.throwIfAborted();
      inFlight = text;
    },
    throwIfStopped: () => stop.signal.throwIfAborted(),
    end: off,
  };
}
