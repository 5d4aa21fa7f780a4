import { randomInt } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';

/** Two clocks: wall time to compare with calendars and servers, monotonic time to measure a wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, never stepping back. */
  monotonic(): number;
  /** @throws the signal's reason when it is aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

export interface Out {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
  /** For libraries that draw on a terminal. */
  readonly stream: NodeJS.WritableStream;
}

/** What a command may know of and do to the process it runs in. Nobody else touches `process`. */
export interface World {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdout: Out;
  readonly stderr: Out;
  /** A random word of lower-case letters and digits, as it stands in run ids and lock tags. */
  randomWord(length: number): string;
  /** Calls back for SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
}

export const realClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  sleep: async (ms, signal) => {
    try {
      await delay(ms, undefined, signal ? { signal } : {});
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    }
  },
};

const WORD_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function realWorld(): World {
  return {
    clock: realClock,
    env: process.env,
    cwd: process.cwd(),
    stdout: out(process.stdout),
    stderr: out(process.stderr),
    randomWord: (length) =>
      Array.from({ length }, () => WORD_LETTERS[randomInt(WORD_LETTERS.length)]).join(''),
    onSignal: (listener) => {
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => process.off('SIGINT', listener).off('SIGTERM', listener);
    },
  };
}

function out(stream: NodeJS.WriteStream): Out {
  return {
    write: (text) => void stream.write(text),
    get isTTY() {
      return stream.isTTY === true;
    },
    get columns() {
      return stream.columns ?? 80;
    },
    stream,
  };
}
