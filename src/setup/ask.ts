import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import { EXIT, Fault } from '../fault.js';
import { wrap } from '../report/layout.js';
import type { World } from '../world.js';

export interface Question {
  readonly text: string;
  /** The answer that an empty line stands for; without one an answer is required. */
  readonly fallback?: string;
  /** The option that answers it in advance, for the error where it has no answer. */
  readonly option: string;
  /** What is wrong with an answer; null where it is good. */
  readonly check?: (answer: string) => string | null;
  /** Typing is not shown. */
  readonly secret?: boolean;
}

/** Asks a person, or reads the answers from a pipe, one a line. Questions go to stderr: stdout is for the result. */
export interface Asker {
  ask(question: Question): Promise<string>;
  confirm(question: Omit<Question, 'check' | 'fallback'>, fallback?: boolean): Promise<boolean>;
  say(text: string): void;
  close(): void;
}

/** After this many wrong answers to one question, a pipe is answering something else. */
const TRIES = 3;

export function askerOf({ stdin, stderr, interrupt }: World, quiet: boolean): Asker {
  let muted = false;
  const output = new Writable({
    write: (chunk, _encoding, done) => {
      if (!muted) stderr.stream.write(chunk);
      done();
    },
  });
  const terminal = createInterface({ input: stdin.stream, output, terminal: stdin.isTTY });
  terminal.on('SIGINT', interrupt);
  // Keeps lines that came before their question, and the end of the input for every question after it.
  const lines = terminal[Symbol.asyncIterator]();
  const asker: Asker = {
    async ask({ text, fallback, option, check, secret = false }) {
      for (let tries = 0; tries < TRIES; tries += 1) {
        const prompt = `${text}${fallback === undefined || fallback === '' ? '' : ` [${fallback}]`}: `;
        if (stdin.isTTY) {
          terminal.setPrompt(prompt);
          terminal.prompt();
          muted = secret;
        } else if (!quiet) {
          stderr.write(prompt);
        }
        const { value, done } = await lines.next();
        const line: string = done ? '' : value;
        muted = false;
        // A terminal has shown the line already, a pipe has not; neither shows a secret.
        if (secret || !stdin.isTTY) stderr.write(quiet ? '' : `${secret ? '' : line}\n`);
        const answer = line.trim() || fallback;
        const wrong = answer === undefined ? '' : (check?.(answer) ?? null);
        if (answer !== undefined && wrong === null) return answer;
        if (done) throw unanswered(text, option, wrong);
        if (wrong) stderr.write(`  ${wrong}\n`);
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
    close: () => terminal.close(),
  };
  return asker;
}

/** Never asks: every question takes its default, or is an error that names the option. */
export function defaultsOnly({ stderr }: Pick<World, 'stderr'>, quiet: boolean): Asker {
  return {
    ask: async ({ text, fallback, option, check }) => {
      const wrong = fallback === undefined ? '' : (check?.(fallback) ?? null);
      if (fallback !== undefined && wrong === null) return fallback;
      throw unanswered(text, option, wrong);
    },
    confirm: async (_question, fallback = false) => fallback,
    say: (text) => (quiet ? undefined : stderr.write(`${prose(text, stderr.columns)}\n`)),
    close: () => {},
  };
}

/** Deeply indented lines are commands and fingerprints: never wrapped, so that they can be copied. */
const prose = (text: string, columns: number): string =>
  text
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)?.[0] ?? '';
      if (line.trim() === '' || indent.length >= 4) return [line];
      return wrap(line, Math.min(columns, 100) - indent.length).map((part) => `${indent}${part}`);
    })
    .join('\n');

const unanswered = (text: string, option: string, wrong: string | null = null) =>
  new Fault('usage.unanswered', `This question was not answered: ${text}?${wrong ? ` ${wrong}` : ''}`, {
    hint: `Answer it with ${option}, or run init in a terminal.`,
    exitCode: EXIT.usage,
  });
