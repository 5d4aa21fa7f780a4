import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import type { RunDocument } from '../src/journal/document.js';

const CLI = resolve('dist/cli.js');

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** One process of the built command. */
export class Controller {
  readonly ended: Promise<Ended>;
  readonly #child: ChildProcess;

  constructor(
    args: readonly string[],
    { env = {}, imports = [] }: { env?: Record<string, string>; imports?: string[] } = {},
  ) {
    const child = spawn(process.execPath, [...imports.map((file) => `--import=${file}`), CLI, ...args], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let stdout = '';
    let stderr = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      stdout += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      stderr += text;
    });
    this.#child = child;
    this.ended = new Promise((end) =>
      child.on('close', (code, signal) => end({ code, signal, stdout, stderr })),
    );
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }
}

/** Runs the command to its end: in a process of its own, unless a test has a cheaper way. */
export type RunToEnd = (args: readonly string[]) => Promise<Pick<Ended, 'code' | 'stdout' | 'stderr'>>;

export const inItsOwnProcess: RunToEnd = (args) => new Controller(args).ended;

export const patchArgs = (configPath: string, ...more: string[]): string[] => [
  'patch',
  '--host',
  'pbs01',
  '--json',
  '--config',
  configPath,
  ...more,
];

/** The report on stdout, or null where the process ended before it could print one. */
export function documentIn({ stdout }: Pick<Ended, 'stdout'>): RunDocument | null {
  try {
    const document = JSON.parse(stdout) as RunDocument;
    return 'outcome' in document ? document : null;
  } catch {
    return null;
  }
}
