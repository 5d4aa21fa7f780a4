/** Exit codes of the command, as the public interface promises them. */
export const EXIT = { done: 0, failed: 1, usage: 2, unverified: 3, tryLater: 75, interrupted: 130 } as const;
export type ExitCode = (typeof EXIT)[keyof typeof EXIT];

const BY_GRAVITY: readonly number[] = [
  EXIT.done,
  EXIT.tryLater,
  EXIT.interrupted,
  EXIT.usage,
  EXIT.failed,
  EXIT.unverified,
];

/** The exit code for several hosts: that which most needs a person. A postponement must not hide a failure. */
export const worstExitCode = <Code extends number>(first: Code, ...others: readonly Code[]): Code =>
  others.reduce(
    (worst, code) => (BY_GRAVITY.indexOf(code) > BY_GRAVITY.indexOf(worst) ? code : worst),
    first,
  );

/**
 * What can be done about a fault.
 * - `refused`: a person has to act; the same would fail again.
 * - `passing`: it had no effect, and the same may be tried again.
 * - `unknown`: it may have had its effect. Look, never repeat.
 * - `later`: nothing is wrong; it is not the time for it.
 */
export type FaultKind = 'refused' | 'passing' | 'unknown' | 'later';

/** What is not accepted: our token, the certificate of the server, or what the token wants to do. */
type Denied = 'token' | 'certificate' | 'privilege';

export interface FaultOptions {
  /** Without it `later` where the exit code says so, else `refused`. */
  readonly kind?: FaultKind;
  readonly denied?: Denied | undefined;
  /** What the reader should do next: one sentence or one command. */
  readonly hint?: string;
  /** Exit code of the command that it ends; without it 75 for what is `later` or `passing`, else 1. */
  readonly exitCode?: ExitCode;
  /** When what stands in the way is expected to be over, ISO 8601; null where that is not known. */
  readonly retryAfter?: string | null;
  /** Lines of a server or of the guest that name the cause. */
  readonly evidence?: readonly string[];
  readonly cause?: unknown;
}

/**
 * An error that a person can meet. `message` says what was seen and what it means, `hint` what to do
 * next. `code` is stable and dotted (`pve.forbidden`, `config.invalid`), for scripts and tests.
 */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  readonly kind: FaultKind;
  readonly denied: Denied | null;
  readonly hint: string | null;
  readonly exitCode: ExitCode;
  readonly retryAfter: string | null;
  readonly evidence: readonly string[];

  constructor(
    code: string,
    message: string,
    { kind, denied, hint, exitCode, retryAfter = null, evidence = [], cause }: FaultOptions = {},
  ) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
    this.kind = kind ?? (exitCode === EXIT.tryLater ? 'later' : 'refused');
    this.denied = denied ?? null;
    this.hint = hint ?? null;
    this.exitCode = exitCode ?? (helpsToWait(this) ? EXIT.tryLater : EXIT.failed);
    this.retryAfter = retryAfter;
    this.evidence = evidence;
  }
}

/** Another was faster: what this rested on has changed since it was read, and is to be decided anew. */
export class Outdated extends Fault {
  constructor(code: string, message: string, options: Omit<FaultOptions, 'kind'> = {}) {
    super(code, message, { ...options, kind: 'passing' });
  }
}

/** Several problems at once: a line of the message each. In other messages a line break is a server's. */
export class Problems extends Fault {}

/** True for what is over by itself. */
export const helpsToWait = (error: unknown): boolean =>
  error instanceof Fault && (error.kind === 'later' || error.kind === 'passing');

/** A token or certificate that is not accepted: waiting does not help. */
export const isShutOut = (error: unknown): boolean =>
  error instanceof Fault && (error.denied === 'token' || error.denied === 'certificate');

/** Commands that put something right, in their order, and the machine that they are run on: "pbs01", "a node of main". */
export interface Fix {
  readonly where: string;
  readonly commands: readonly string[];
}

/** The `error` object of every JSON document. */
export interface ErrorDocument {
  readonly code: string;
  readonly message: string;
  readonly hint: string | null;
}

/** Any thrown value as a document; anything but a Fault is a bug of ours. */
export function errorDocument(error: unknown): ErrorDocument {
  if (error instanceof Fault) return { code: error.code, message: chain(error), hint: error.hint };
  const message = error instanceof Error ? chain(error) : String(error);
  return { code: 'internal', message, hint: 'This is a bug in pbs-ctl: please report it with this message.' };
}

/** What an error says; for one of the file system in words, without the name of the call and the path. */
export function wordsOf(error: unknown): string {
  const { code = '', syscall, message } = error as NodeJS.ErrnoException;
  return (syscall === undefined ? undefined : FILE_SYSTEM[code]) ?? message;
}

const FILE_SYSTEM: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EEXIST: 'it exists already',
  EISDIR: 'it is a folder',
  ELOOP: 'its links lead in a circle',
  EMFILE: 'too many files are open',
  ENOENT: 'it does not exist',
  ENOSPC: 'the disk is full',
  ENOTDIR: 'part of its path is not a folder',
  ENOTEMPTY: 'it is not empty',
  EPERM: 'it is not permitted',
  EROFS: 'the file system is read-only',
};

/** The message and those of its causes, each once, the most precise reason last. */
function chain(error: Error): string {
  const parts: string[] = [];
  for (let current: unknown = error; current instanceof Error; current = current.cause) {
    const words = wordsOf(current);
    if (!parts.some((part) => part.includes(words))) parts.push(words);
  }
  return parts.join(': ');
}
