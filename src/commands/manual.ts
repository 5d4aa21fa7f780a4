import { EXIT } from '../fault.js';
import type { CommandNode } from './completion-tree.js';
import type { Command } from './context.js';
import { manualPage } from './roff.js';

interface ManualOptions {
  readonly tree: CommandNode;
  readonly version: string;
  readonly closing: string;
}

/** Prints the manual page: the build puts it beside the program, where `man` finds it once it is installed. */
export const manual: Command<ManualOptions> = async (context, options) => {
  const page = manualPage(options);
  context.answer({ page }, page);
  return EXIT.done;
};
