import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import type { Interrupted, Signals } from '../world.js';

/** What is under way and must not be cut off. */
interface UnderWay {
  /** For a person: "the upgrade runs". */
  readonly what: string;
  /** How long it is waited for at most, from now on. */
  leftMs(): number;
}

/**
 * SIGINT, SIGTERM and SIGHUP. The first one stops what has not begun: what runs is waited for, and no further
 * step that changes packages or reboots begins. Once the reboot is requested nothing of that kind is left, and
 * the run continues to its end. The second one leaves at once, whatever runs.
 */
export interface Interruption {
  /** Aborted when the run has to stop. */
  readonly signal: AbortSignal;
  /** Aborted when the process has to leave, without another request. */
  readonly now: AbortSignal;
  /** A first signal now waits for this, and stops the run afterwards. @throws the reason, where it has come already */
  hold(underWay: UnderWay): void;
  /** What was held is over. */
  release(): void;
  /** A first signal no longer stops the run, which only says what it waits for. */
  finish(underWay: UnderWay): void;
  throwIfStopped(): void;
  end(): void;
}

export function listenForInterruption(signals: Signals, say: (text: string) => void): Interruption {
  const [stopped, left, ended] = [new AbortController(), new AbortController(), new AbortController()];
  const unheed = signals.heedSignals();
  let underWay: (UnderWay & { readonly continues: boolean }) | null = null;
  const stop = (signal: AbortSignal) => {
    const during = underWay === null ? '' : ` while ${underWay.what}`;
    stopped.abort(
      new Fault('run.interrupted', `Interrupted by ${nameOf(signal)}${during}.`, {
        exitCode: EXIT.interrupted,
      }),
    );
  };
  const first = () => {
    const name = nameOf(signals.stop);
    if (underWay === null) {
      stop(signals.stop);
      return say(`${name}: the run stops and undoes what it has done. A second signal leaves at once.`);
    }
    const { what, leftMs, continues } = underWay;
    const atMost = formatDuration(Math.max(0, leftMs()));
    const then = continues ? 'then the run ends as usual' : 'then the run ends, and nothing else begins';
    say(
      `${name}: ${what}. It is waited for, ${atMost} at most; ${then}. A second signal leaves at once (the next patch continues).`,
    );
  };
  const second = () => {
    stop(signals.now);
    left.abort(stopped.signal.reason);
  };
  const enter = (entered: UnderWay, continues: boolean) => {
    stopped.signal.throwIfAborted();
    underWay = { ...entered, continues };
  };
  signals.stop.addEventListener('abort', first, { signal: ended.signal });
  signals.now.addEventListener('abort', second, { signal: ended.signal });
  // It may have come while the run was waited for.
  if (signals.stop.aborted) first();
  return {
    signal: stopped.signal,
    now: left.signal,
    hold: (entered) => enter(entered, false),
    release: () => {
      if (signals.stop.aborted) stop(signals.stop);
      underWay = null;
    },
    finish: (entered) => enter(entered, true),
    throwIfStopped: () => stopped.signal.throwIfAborted(),
    end: () => {
      ended.abort();
      unheed();
    },
  };
}

const nameOf = ({ reason }: AbortSignal) => (reason as Interrupted).signal;
