import type { CommandUnknownOpts, Option } from 'commander';
import { EXIT } from '../fault.js';
import { SCRIPTS, type Shell } from './completion-scripts.js';
import { type Candidates, valuesOf } from './completion-values.js';
import type { Command } from './context.js';

/** Prints the script that a shell reads. */
export const completion: Command<{ readonly shell: Shell }> = async (context, { shell }) => {
  const script = SCRIPTS[shell];
  context.answer({ shell, script }, script);
  return EXIT.done;
};

interface Line {
  /** Those that follow the program's name; the last is to be completed. */
  readonly words: readonly string[];
  readonly root: CommandUnknownOpts;
  readonly mayRepeat: (option: Option) => boolean;
}

/** What these scripts call: a candidate a line, a tab, what it is. */
export const complete: Command<Line> = async ({ world }, line) => {
  const found = candidates(line, await valuesOf(line.words, world));
  const lines =
    found === 'files' ? [':files'] : found.map(({ word, description }) => `${word}\t${description}`);
  world.stdout.write(lines.map((each) => `${each}\n`).join(''));
  return EXIT.done;
};

/**
 * What completes the last word. No list of commands is kept beside commander's.
 * @param valuesOf of an option (`patch --host`) or an argument (`report run`) for which no choices are declared
 */
export function candidates(
  { words, root, mayRepeat }: Line,
  valuesOf: (place: string) => Candidates,
): Candidates {
  const typed = joined(words);
  const current = typed.at(-1) ?? '';
  const help = root.createHelp();
  const used = new Set<Option>();
  let command = root;
  let path = '';
  let position = 0;
  let pending: Option | undefined;
  const optionNamed = (name: string) =>
    help.visibleOptions(command).find(({ long, short }) => long === name || short === name);
  for (const word of typed.slice(0, -1)) {
    // Behind it the line belongs to another program.
    if (word === '--' && !pending) return 'files';
    const next = command.commands.find((each) => each.name() === word);
    if (pending) pending = undefined;
    else if (word.startsWith('-')) {
      const option = optionNamed(word.split('=')[0] ?? '');
      if (option) used.add(option);
      if (option && takesValue(option) && !word.includes('=')) pending = option;
    } else if (next) {
      command = next;
      path += `${word} `;
    } else position += 1;
  }
  const values = (name: string, choices: readonly string[] | undefined, start: string) =>
    starting(choices?.map((word) => ({ word, description: '' })) ?? valuesOf(path + name), start);
  if (pending) return values(pending.long ?? '', pending.argChoices, current);
  const [, long, given] = /^(--[^=]+)=(.*)$/s.exec(current) ?? [];
  if (long !== undefined && given !== undefined) {
    const found = values(long, optionNamed(long)?.argChoices, given);
    return found === 'files' ? found : found.map((each) => ({ ...each, word: `${long}=${each.word}` }));
  }
  if (current.startsWith('-')) {
    const left = help.visibleOptions(command).filter((option) => !used.has(option) || mayRepeat(option));
    const named = left.map(({ long: word = '', description }) => ({ word, description }));
    return starting(named, current);
  }
  const below = help.visibleCommands(command).filter((each) => each.name() !== 'help');
  if (below.length > 0) {
    const named = below.map((each) => ({ word: each.name(), description: each.description() }));
    return starting(named, current);
  }
  const last = command.registeredArguments.at(-1);
  const argument = command.registeredArguments[position] ?? (last?.variadic ? last : undefined);
  return argument ? values(argument.name(), argument.argChoices, current) : [];
}

const takesValue = ({ required, optional }: Option) => required || optional;

const starting = (found: Candidates, start: string): Candidates =>
  found === 'files' ? found : found.filter(({ word }) => word.startsWith(start));

/** bash takes "--host=x" apart at the "=". */
const joined = (words: readonly string[]): string[] =>
  words.flatMap((word, index) => {
    const after = words[index - 1];
    if (word === '=' && after?.startsWith('--')) return index === words.length - 1 ? [''] : [];
    return [word];
  });
