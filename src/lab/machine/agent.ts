import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, readFileSync, statSync } from 'node:fs';
import { join, normalize } from 'node:path';
import { agentEnvironment, intoMachine, outOfMachine, whyNotExecutable } from './shell.js';
import { signalGroup } from './units.js';

/** A refusal of the guest agent, in QEMU's words. */
export class AgentError extends Error {
  readonly desc: string;

  constructor(desc: string) {
    super(desc);
    this.name = 'AgentError';
    this.desc = desc;
  }
}

/** The agent did not answer a command within PVE's time limit, or its channel was closed meanwhile. */
export class AgentSilence extends Error {
  readonly command: string;
  readonly closed: boolean;

  constructor(command: string, { closed }: { closed: boolean }) {
    super(`no answer to ${command}`);
    this.name = 'AgentSilence';
    this.command = command;
    this.closed = closed;
  }
}

export type ExecState =
  | { readonly exited: false }
  | {
      readonly exited: true;
      readonly exitcode?: number;
      readonly signal?: number;
      readonly out?: Buffer;
      readonly err?: Buffer;
      /** More output than the agent keeps. */
      readonly outTruncated?: boolean;
      readonly errTruncated?: boolean;
    };

interface Started {
  readonly child: ChildProcess;
  state: ExecState;
}

const SIGNALS: Partial<Record<NodeJS.Signals, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGABRT: 6,
  SIGKILL: 9,
  SIGSEGV: 11,
  SIGPIPE: 13,
  SIGTERM: 15,
};

/** The processes that one life of the guest agent has started. A restart of the agent begins a new life. */
export class AgentProcesses {
  readonly #root: string;
  readonly #factor: number;
  readonly #old: boolean;
  readonly #started = new Map<number, Started>();

  /** @param old whether it speaks as agent 7.2 and not as 10.0 */
  constructor(root: string, factor: number, old: boolean) {
    this.#old = old;
    this.#root = root;
    this.#factor = factor;
  }

  /** @throws AgentError when the program cannot be started */
  start(command: readonly string[], input?: string): number {
    const [program = '', ...args] = command.map((word) => intoMachine(word, this.#root));
    const reason = whyNotExecutable(program);
    if (reason) {
      const failed = `Failed to execute child process “${command[0]}” (${reason})`;
      throw new AgentError(this.#old ? `Guest agent command failed, error was '${failed}'` : failed);
    }
    const child = spawn(program, args, {
      cwd: this.#root,
      env: agentEnvironment(this.#root, this.#factor),
      stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
      detached: true, // a process group of its own: what plays the agent's control group
    });
    const started: Started = { child, state: { exited: false } };
    const out: Buffer[] = [];
    const err: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
    child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
    child.stdin?.on('error', () => {});
    child.stdin?.end(input);
    child.on('error', () => {
      started.state = { exited: true, exitcode: 127 };
    });
    // 'close' and not 'exit': the agent too waits until both streams are closed.
    child.on('close', (code, signal) => {
      started.state = {
        exited: true,
        ...(signal ? { signal: SIGNALS[signal] ?? 0 } : { exitcode: code ?? 0 }),
        ...outputs('out', out, this.#root),
        ...outputs('err', err, this.#root),
      };
    });
    const pid = child.pid ?? 0;
    this.#started.set(pid, started);
    return pid;
  }

  /** Hands out an end once. @throws AgentError for a pid that is unknown or whose end was handed out */
  status(pid: number): ExecState {
    const started = this.#started.get(pid);
    // The newer one forgets to put the number in.
    if (!started) throw new AgentError(this.#old ? "Invalid parameter 'pid'" : 'PID ld does not exist');
    if (started.state.exited) this.#started.delete(pid);
    return started.state;
  }

  /** To every child that still runs. */
  signal(signal: 'SIGSTOP' | 'SIGCONT'): void {
    for (const [pid, { state }] of this.#started) if (!state.exited) signalGroup(pid, signal);
  }

  /** Kills all children and forgets all pids. Transient units are not children: they live on. */
  end(): void {
    for (const [pid, { child, state }] of this.#started) {
      if (!state.exited) signalGroup(pid, 'SIGKILL');
      child.removeAllListeners('close');
      child.stdout?.destroy();
      child.stderr?.destroy();
      child.unref();
    }
    this.#started.clear();
  }
}

/** @throws AgentError in the words of guest-file-open and guest-file-read */
export function readMachineFile(root: string, path: string): Buffer {
  const file = join(root, normalize(`/${path}`));
  if (!existsSync(file)) {
    throw new AgentError(`failed to open file '${path}' (mode: 'r'): No such file or directory`);
  }
  if (statSync(file).isDirectory()) throw new AgentError('failed to read file: Is a directory');
  return outOfMachine(readFileSync(file), root);
}

function outputs(key: 'out' | 'err', chunks: readonly Buffer[], root: string) {
  const output = outOfMachine(Buffer.concat(chunks), root);
  return output.length > 0 ? { [key]: output } : {};
}
