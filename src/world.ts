import { spawn } from 'node:child_process';
import { setMaxListeners } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { EXIT, Fault } from './fault.js';
import { printable } from './printable.js';

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

export interface In {
  readonly isTTY: boolean;
  readonly stream: NodeJS.ReadableStream;
}

export interface Program {
  /** Rejects when it cannot be started. */
  readonly ended: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>;
  kill(signal: NodeJS.Signals): void;
}

/** As in a shell: 128 plus the number of the signal that ended it. */
export function exitCodeOf({ code, signal }: Awaited<Program['ended']>): number {
  // Loaded only where it is needed, as is node:crypto below: each takes milliseconds of a start.
  const { constants } = process.getBuiltinModule('node:os');
  return code ?? 128 + (signal ? constants.signals[signal] : 0);
}

/** SIGINT, SIGTERM, and SIGHUP of a terminal that is closed. */
export interface Signals {
  /** Aborted by the first one; its reason is an {@link Interrupted}. */
  readonly stop: AbortSignal;
  /** Aborted by the second one. */
  readonly now: AbortSignal;
  /** Until the returned function is called, no signal ends the command: it watches `stop` and `now` itself. */
  heedSignals(): () => void;
}

export class Interrupted extends Fault {
  readonly signal: NodeJS.Signals;

  constructor(signal: NodeJS.Signals) {
    super('interrupted', `Interrupted by ${signal} before it was done.`, {
      hint: 'A request that was under way may still be carried out.',
      exitCode: EXIT.interrupted,
    });
    this.signal = signal;
  }
}

/** The process and machine of a command. Only this file and `cli.ts` use `process`. */
export interface World extends Signals {
  readonly clock: Clock;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly stdin: In;
  readonly stdout: Out;
  /** With `--verbose`: gets a line per request. */
  readonly trace?: (line: string) => void;
  readonly stderr: Out;
  /** From 0 to below 1: for pauses that must differ, not for secrets. */
  random(): number;
  readonly pid: number;
  /** What tells this boot of this machine from others; null where that is not known. */
  thisBoot(): { readonly hostname: string; readonly machine: string | null; readonly boot: string | null };
  readonly platform: NodeJS.Platform;
  /** Every address of a name, or of an address itself; none where it cannot be resolved. */
  addressesOf(name: string): Promise<readonly string[]>;
  /** Lower-case letters and digits, as in run ids and lock tags. */
  randomWord(length: number): string;
  /** Starts a program with the environment of this process and what is given; undefined takes a variable out. */
  run(file: string, args: readonly string[], env: Readonly<Record<string, string | undefined>>): Program;
  /** Asks a person; false without a terminal, and for every answer but yes. */
  confirm(question: string): Promise<boolean>;
  /** For Ctrl-C on a terminal in raw mode, which sends no signal. */
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

export function realWorld(signals: Signals = processSignals()): World {
  return {
    ...signals,
    clock: realClock,
    env: process.env,
    cwd: process.cwd(),
    // Opened only when read: a process with an open stdin does not end by itself.
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
    thisBoot,
    platform: process.platform,
    addressesOf: async (name) => {
      const { lookup } = process.getBuiltinModule('node:dns').promises;
      return lookup(name, { all: true }).then(
        (found) => found.map(({ address }) => address),
        () => [],
      );
    },
    randomWord: (length) => {
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
        return /^y(es)?$/i.test((await terminal.question(`${printable(question)} [y/N] `)).trim());
      } finally {
        terminal.close();
      }
    },
    interrupt,
  };
}

/** From here on only a third signal ends the process by itself, unless it is heeded. */
function processSignals(): Signals {
  const first = new AbortController();
  const second = new AbortController();
  let heeding = 0;
  const listener = (signal: NodeJS.Signals) => {
    const next = [first, second].find((each) => !each.signal.aborted);
    if (next) next.abort(new Interrupted(signal));
    else if (heeding === 0) process.exit(EXIT.interrupted);
  };
  process.on('SIGINT', listener).on('SIGTERM', listener).on('SIGHUP', listener);
  // Every host of a fleet listens.
  setMaxListeners(0, first.signal, second.signal);
  return {
    stop: first.signal,
    now: second.signal,
    heedSignals: () => {
      heeding += 1;
      return () => {
        heeding -= 1;
      };
    },
  };
}

const interrupt = () => void process.kill(process.pid, 'SIGINT');

/** Empty or missing in many containers. */
function thisBoot(): ReturnType<World['thisBoot']> {
  const { hostname } = process.getBuiltinModule('node:os');
  const word = (path: string) => {
    try {
      return readFileSync(path, 'utf8').trim() || null;
    } catch {
      return null;
    }
  };
  return {
    hostname: hostname(),
    machine: word('/etc/machine-id'),
    boot: word('/proc/sys/kernel/random/boot_id'),
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
