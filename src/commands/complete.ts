import type { CommandNode, OptionNode } from './completion-tree.js';

export interface Candidate {
  readonly word: string;
  readonly description: string;
}

/** What a value can be: some words, or whatever the shell itself knows of files. */
export type Values = readonly Candidate[] | 'files';

/** What comes at the end of a line. Either candidates, or files of the shell's own. */
export type Completion = readonly Candidate[] | 'files';

/**
 * Completes the last of the words that follow the program's name.
 * @param valuesOf what stands for a value: of an option (`patch --host`), or of an argument (`report run`)
 */
export function complete(
  root: CommandNode,
  words: readonly string[],
  valuesOf: (place: string) => Values,
): Completion {
  const typed = joined(words);
  const current = typed.at(-1) ?? '';
  const { command, path, pending, position, foreign, used } = walk(root, typed.slice(0, -1));
  if (foreign) return 'files';
  if (pending) return starting(valuesOf(place(path, pending.long)), current);
  const [, long, given] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (long !== undefined && given !== undefined) {
    const values = starting(valuesOf(place(path, long)), given);
    return values === 'files' ? values : values.map((each) => ({ ...each, word: `${long}=${each.word}` }));
  }
  if (current.startsWith('-')) {
    const options = command.options.filter((option) => !used.has(option.long) || REPEATABLE.has(option.long));
    return starting(
      options.map((option) => ({ word: option.long, description: option.description })),
      current,
    );
  }
  if (command.commands.length > 0) {
    return starting(
      command.commands.map(({ name, description }) => ({ word: name, description })),
      current,
    );
  }
  const argument = command.arguments[Math.min(position, command.arguments.length - 1)];
  if (!argument || (position >= command.arguments.length && !argument.variadic)) return [];
  return starting(valuesOf(place(path, argument.name)), current);
}

const REPEATABLE = new Set(['--host', '--pve', '--pbs', '--guest', '--fingerprint']);
const place = (path: readonly string[], name: string) => [...path, name].join(' ');

function starting(values: Values, current: string): Completion {
  return values === 'files' ? values : values.filter(({ word }) => word.startsWith(current));
}

/** bash takes "--host=x" apart at the "=". */
function joined(words: readonly string[]): string[] {
  return words.flatMap((word, index) => {
    const after = words[index - 1];
    if (word === '=' && after?.startsWith('--')) return index === words.length - 1 ? [''] : [];
    return [word];
  });
}

interface Walked {
  readonly command: CommandNode;
  readonly path: readonly string[];
  /** The option whose value comes next. */
  readonly pending: OptionNode | null;
  /** Which argument comes next. */
  readonly position: number;
  /** After "--": the line belongs to another program. */
  readonly foreign: boolean;
  readonly used: ReadonlySet<string>;
}

function walk(root: CommandNode, words: readonly string[]): Walked {
  let command = root;
  let path: string[] = [];
  let pending: OptionNode | null = null;
  let position = 0;
  const used = new Set<string>();
  for (const word of words) {
    if (pending) {
      pending = null;
      continue;
    }
    if (word === '--') return { command, path, pending, position, foreign: true, used };
    if (word.startsWith('-')) {
      const [name = ''] = word.split('=');
      const option = command.options.find(({ long, short }) => long === name || short === name);
      used.add(option?.long ?? name);
      if (option?.value && !word.includes('=')) pending = option;
      continue;
    }
    const next = command.commands.find(({ name }) => name === word);
    if (next) {
      command = next;
      path = [...path, word];
    } else {
      position += 1;
    }
  }
  return { command, path, pending, position, foreign: false, used };
}
