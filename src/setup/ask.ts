import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { EXIT, Fault } from '../fault.js';
import { wrap } from '../report/layout.js';
import type { World } from '../world.js';

export interface Question {
  readonly text: string;
  /** What an empty answer means; without one an answer is needed. */
  readonly fallback?: string;
  /** The option that answers it beforehand, for the error where nobody answers. */
  readonly option: string;
  /** Says what is wrong with an answer; null where nothing is. */
  readonly check?: (answer: string) => string | null;
  /** What is typed is not shown. */
  readonly secret?: boolean;
}

/** Asks a person, or reads the answers from a pipe, one a line. Questions go to stderr: stdout is for the result. */
export interface Asker {
  ask(question: Question): Promise<string>;
  confirm(question: Omit<Question, 'check' | 'fallback'>, fallback?: boolean): Promise<boolean>;
  say(text: string): void;
  close(): void;
}

/** So many wrong answers to one question are a pipe that answers something else. */
const TRIES = 3;

export function askerOf(
  { stdin, stderr, interrupt }: Pick<World, 'stdin' | 'stderr' | 'interrupt'>,
  quiet: boolean,
): Asker {
  let muted = false;
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      if (!muted) stderr.stream.write(chunk);
      done();
    },
  });
  const lines = createInterface({ input: stdin.stream, output, terminal: stdin.isTTY });
  // Lines that came before they were asked for wait here; null is the end.
  const waiting: Array<string | null> = [];
  let wanted: ((line: string | null) => void) | null = null;
  const arrive = (line: string | null) => {
    const take = wanted;
    wanted = null;
    // The end answers the question that waits, and every later one.
    if (take === null || line === null) waiting.push(line);
    take?.(line);
  };
  lines
    .on('line', arrive)
    .on('close', () => arrive(null))
    .on('SIGINT', interrupt);
  const next = (): Promise<string | null> => {
    const line = waiting.shift();
    if (line === null) waiting.push(null);
    return line === undefined ? new Promise((resolve) => (wanted = resolve)) : Promise.resolve(line);
  };
  const asker: Asker = {
    async ask({ text, fallback, option, check, secret = false }) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const prompt = `${text}${fallback === undefined || fallback === '' ? '' : ` [${fallback}]`}: `;
        if (stdin.isTTY) {
          lines.setPrompt(prompt);
          lines.prompt();
          muted = secret;
        } else if (!quiet) {
          stderr.write(prompt);
        }
        const line = await next();
        muted = false;
        // A terminal has shown the line already, a pipe has not; a secret is shown by neither.
        if (secret || !stdin.isTTY) stderr.write(quiet ? '' : `${secret ? '' : (line ?? '')}\n`);
        const answer = line?.trim() || fallback;
        if (answer === undefined) {
          if (line !== null) continue;
          throw unanswered(text, option);
        }
        const wrong = check?.(answer) ?? null;
        if (wrong === null) return answer;
        if (line === null) throw unanswered(text, option, wrong);
        stderr.write(`  ${wrong}\n`);
      }
      throw unanswered(text, option);
    },
    async confirm(question, fallback = false) {
      const words = /^(y(es)?|no?)$/i;
      const answer = await asker.ask({
        ...question,
        text: `${question.text} (y/n)`,
        fallback: fallback ? 'y' : 'n',
        check: (given) => (words.test(given) ? null : 'Please answer y or n.'),
      });
      return /^y/i.test(answer);
    },
    say: (text) => (quiet ? undefined : stderr.write(`${prose(text, stderr.columns)}\n`)),
    close: () => lines.close(),
  };
  return asker;
}

/** Lines that are indented far are commands and fingerprints, to be copied whole. */
const prose = (text: string, columns: number): string =>
  text
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      if (line.trim() === '' || indent.length >= 4) return [line];
      return wrap(line, Math.min(columns, 100) - indent.length).map((part) => `${indent}${part}`);
    })
    .join('\n');

const unanswered = (text: string, option: string, wrong?: string) =>
  new Fault('usage.unanswered', `Nobody answered: ${text}?${wrong ? ` ${wrong}` : ''}`, {
    hint: `Answer it with ${option}, or run init in a terminal.`,
    exitCode: EXIT.usage,
  });

/** Asks nobody: every question has its default, or is an error that names the option. */
export function defaultsOnly({ stderr }: Pick<World, 'stderr'>, quiet: boolean): Asker {
  return {
    ask: ({ text, fallback, option, check }) => {
      const wrong = fallback === undefined ? '' : (check?.(fallback) ?? null);
      return fallback !== undefined && wrong === null
        ? Promise.resolve(fallback)
        : Promise.reject(unanswered(text, option, wrong ?? ''));
    },
    confirm: (_question, fallback = false) => Promise.resolve(fallback),
    say: (text) => (quiet ? undefined : stderr.write(`${prose(text, stderr.columns)}\n`)),
    close: () => {},
  };
}
