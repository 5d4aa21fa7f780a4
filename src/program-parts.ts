import { type Command, InvalidArgumentError } from 'commander';
import type { Context, GlobalOptions } from './commands/context.js';
import { isLockTtl, parseDuration } from './config/quantity.js';
import { isLockWord } from './lock/tag.js';
import { type Accepting, VERIFY_IDS } from './rules/accept.js';

/** A new command, of the program itself or of one of its commands. */
export type Add = (
  name: string,
  description: string,
  parent?: Parent,
) => Command<[], Record<never, never>, GlobalOptions>;
type Parent = Pick<Command<[], Record<never, never>, GlobalOptions>, 'command'>;

/**
 * What commander calls for a command. A command is loaded only when it runs: --help and --version need none.
 * @param act gets the context, the arguments and the options, each by name: one that is renamed here, but not
 *   in its command, does not compile
 */
export type Run = <Arguments extends unknown[], Options extends object>(
  act: (context: Context, ...given: [...Arguments, Named<Options>]) => Promise<number>,
) => (this: Ran, ...given: [...Arguments, Options, unknown]) => Promise<void>;
type Named<Options> = {
  readonly [Name in keyof Options]-?: object extends Pick<Options, Name>
    ? Options[Name] | undefined
    : Options[Name];
};
type Ran = { optsWithGlobals(): GlobalOptions };

export const examples = (...lines: readonly string[]) =>
  `\nExamples:\n${lines.map((line) => `  pbs-ctl ${line}`).join('\n')}`;

/** For options that may be repeated. */
export const collect = (value: string, previous: string[] | undefined): string[] => [
  ...(previous ?? []),
  value,
];

/** In milliseconds. */
export function duration(text: string): number {
  const ms = parseDuration(text);
  if (ms !== undefined) return ms;
  throw new InvalidArgumentError('Expected a duration such as 90s, 20m or 2h.');
}

/** How long a lock is to last unrenewed. */
export function lockTtl(text: string): number {
  const ms = duration(text);
  if (isLockTtl(ms)) return ms;
  throw new InvalidArgumentError('Expected a duration from 5s to 30d, such as 20m or 2h.');
}

export const wholeNumber =
  (least: number, most = Number.MAX_SAFE_INTEGER) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    const range = most === Number.MAX_SAFE_INTEGER ? `of at least ${least}` : `from ${least} to ${most}`;
    throw new InvalidArgumentError(`Expected a whole number ${range}.`);
  };

/** How much faster than real time. */
export function factor(text: string): number {
  const value = Number(text);
  if (Number.isFinite(value) && value >= 1) return value;
  throw new InvalidArgumentError('Expected a number of at least 1.');
}

/** Why a rule is overridden, for the report and Slack. */
export function reason(text: string): string {
  if (/[^\p{C}\s]/u.test(text)) return text;
  throw new InvalidArgumentError('Expected a reason, such as "CVE-2026-1234, agreed with operations".');
}

/** `--accept ID=REASON`, which may be repeated. */
export function accepting(text: string, previous: Accepting[] | undefined): Accepting[] {
  const [name, ...rest] = text.split('=');
  const id = VERIFY_IDS.find((each) => each === name);
  if (rest.length === 0)
    throw new InvalidArgumentError('Expected ID=REASON, such as verify.kernel="older kernel on purpose".');
  if (!id) throw new InvalidArgumentError(`The findings of verify are ${VERIFY_IDS.join(', ')}.`);
  return [...(previous ?? []), { id, reason: reason(rest.join('=')) }];
}

/** The owner in a lock tag. */
export function lockOwner(text: string): string {
  if (isLockWord(text)) return text;
  throw new InvalidArgumentError('It goes into a tag: use lower-case letters, digits, ".", "_" and "-".');
}
