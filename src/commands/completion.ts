import { EXIT, Fault } from '../fault.js';
import { complete as completed } from './complete.js';
import { SCRIPTS, type Shell } from './completion-scripts.js';
import type { CommandNode } from './completion-tree.js';
import { valuesOf } from './completion-values.js';
import type { Command } from './context.js';

/** Prints the script that a shell reads. */
export const completion: Command<{ readonly shell: string }> = async (context, { shell }) => {
  if (!Object.hasOwn(SCRIPTS, shell)) {
    throw new Fault('usage.shell', `There is no completion for "${shell}".`, {
      hint: `One of: ${Object.keys(SCRIPTS).join(', ')}.`,
      exitCode: EXIT.usage,
    });
  }
  const script = SCRIPTS[shell as Shell];
  context.answer({ shell, script }, script);
  return EXIT.done;
};

/** What these scripts call: a candidate a line, a tab, what it is. */
export const complete: Command<{ readonly words: readonly string[]; readonly tree: CommandNode }> = async (
  { world },
  { words, tree },
) => {
  const found = completed(tree, words, await valuesOf(words, world));
  const lines =
    found === 'files' ? [':files'] : found.map(({ word, description }) => `${word}\t${description}`);
  world.stdout.write(lines.map((line) => `${line}\n`).join(''));
  return EXIT.done;
};
