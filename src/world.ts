import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';

/** Two clocks: wall time to compare with calendars and servers, monotonic time to measure a wait. */
export interface Clock {
  /** Milliseconds since 1970. */
  now(): number;
  /** Milliseconds since some moment, never stepping back. */
  monotonic(): number;
  /** @throws the signal's reason when it is aborted first */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Aborted with a `TimeoutError` when the time is over. Keeps no process alive. */
  timeout(ms: number): AbortSignal;
}

export interface Out {
  write(text: string): void;
  readonly isTTY: boolean;
  readonly columns: number;
  /** For libraries that draw on a terminal. */
  readonly stream: NodeJS.WritableStream;
}

/** Answers of a person, or of a pipe. */
export interface In {
  readonly isTTY: boolean;
  readonly stream: NodeJS.ReadableStream;
}

/** A program that runs with the terminal of this one. */
export interface Program {
  /** Rejects when it cannot be started. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** As a shell tells it: 128 and the number of the signal that killed it. */
export const exitCodeOf = ({ code, signal }: Awaited<Program['ended']>): number =>
  code ?? 128 + (signal ? constants.signals[signal] : 0);

/** What a command may know of and do to the process it runs in. Nobody else touches `process`. */
export interface World {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: In;
  readonly stdout: Out;
  /** Takes a line for every request, where somebody wants to see them. */
  readonly trace?: (line: string) => void;
  readonly stderr: Out;
  /** A random number from 0 to below 1: for pauses that must differ, not for secrets. */
  random(): number;
  readonly pid: number;
  readonly platform: NodeJS.Platform;
  /** A random word of lower-case letters and digits, as it stands in run ids and lock tags. */
  randomWord(length: number): string;
  /** Starts a program with the environment of this process and what is given. */
  run(file: string, args: readonly string[], env: Readonly<Record<string, string>>): Program;
  /** Asks a person; false where nobody can be asked, or who was asked said anything but yes. */
  confirm(question: string): Promise<boolean>;
  /** Calls back for SIGINT and SIGTERM until the returned function is called. */
  onSignal(listener: (signal: NodeJS.Signals) => void): () => void;
  /** Makes a signal of Ctrl-C, where a terminal is read key by key and so makes none of it. */
  interrupt(): void;
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
  timeout: (ms) => AbortSignal.timeout(ms),
};

const WORD_LETTERS = 'abcdefghijklmnopqrstuvwxyz0123456789';

export function realWorld(): World {
  return {
    clock: realClock,
    env: process.env,
    cwd: process.cwd(),
    // Opened only when somebody asks: a process that waits for input does not end by itself.
    stdin: {
      get isTTY() {
        return process.stdin.isTTY === true;
      },
      get stream() {
        return process.stdin;
      },
    },
    stdout: out(process.stdout),
    stderr: out(process.stderr),
    random: Math.random,
    pid: process.pid,
    platform: process.platform,
    randomWord: (length) => {
      // Loaded only where it is needed: it is a tenth of the time that --version takes.
      const { randomInt } = process.getBuiltinModule('node:crypto');
      return Array.from({ length }, () => WORD_LETTERS[randomInt(WORD_LETTERS.length)]).join('');
    },
    run: (file, args, env) => {
      const child = spawn(file, [...args], { stdio: 'inherit', env: { ...process.env, ...env } });
      return {
        ended: new Promise((resolve, reject) => {
          child.once('error', reject);
          child.once('close', (code, signal) => resolve({ code, signal }));
        }),
        kill: (signal) => void child.kill(signal),
      };
    },
    confirm: async (question) => {
      if (!process.stdin.isTTY || !process.stderr.isTTY) return false;
      const { createInterface } = await import('node:readline/promises');
      const terminal = createInterface({ input: process.stdin, output: process.stderr });
      terminal.on('SIGINT', interrupt);
      try {
        return /^y(es)?$/i.test((await terminal.question(`${question} [y/N] `)).trim());
      } finally {
        terminal.close();
      }
    },
    onSignal: (listener) => {
      process.on('SIGINT', listener).on('SIGTERM', listener);
      return () => process.off('SIGINT', listener).off('SIGTERM', listener);
    },
    interrupt,
  };
}

const interrupt = () => void process.kill(process.pid, 'SIGINT');

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
