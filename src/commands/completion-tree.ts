import type { Command } from 'commander';

/** A command as completion and the manual see it. */
export interface CommandNode {
  readonly name: string;
  readonly description: string;
  readonly options: readonly OptionNode[];
  readonly arguments: ReadonlyArray<{
    readonly name: string;
    readonly variadic: boolean;
    readonly required: boolean;
  }>;
  readonly commands: readonly CommandNode[];
  /** Lines of its help under "Examples:". */
  readonly examples: readonly string[];
}

export interface OptionNode {
  /** "--host". */
  readonly long: string;
  readonly short: string | null;
  /** "<name>" as the help shows it; null for one without a value. */
  readonly value: string | null;
  readonly description: string;
}

/** Reads the tree off commander, so that no list of commands is kept beside it. Hidden commands stay hidden. */
export function treeOf(command: Command): CommandNode {
  const visible = command
    .createHelp()
    .visibleCommands(command)
    .filter((each) => each.name() !== 'help');
  return {
    name: command.name(),
    description: command.description(),
    options: command
      .createHelp()
      .visibleOptions(command)
      .flatMap(({ long, short, flags, required, optional, description }): OptionNode[] =>
        long
          ? [
              {
                long,
                short: short ?? null,
                value: required || optional ? (/[<[].+[>\]]/.exec(flags)?.[0] ?? '<value>') : null,
                description,
              },
            ]
          : [],
      ),
    arguments: command.registeredArguments.map((argument) => ({
      name: argument.name(),
      variadic: argument.variadic,
      required: argument.required,
    })),
    commands: visible.map(treeOf),
    examples: examplesOf(command),
  };
}

/** What was added to the help is an event of commander, so the help is written to nowhere and read. */
function examplesOf(command: Command): string[] {
  const { writeOut } = command.configureOutput();
  let help = '';
  command.configureOutput({
    writeOut: (text) => {
      help += text;
    },
  });
  command.outputHelp();
  if (writeOut) command.configureOutput({ writeOut });
  const [, after = ''] = help.split('\nExamples:\n');
  return (after.split('\n\n')[0] ?? '')
    .split('\n')
    .flatMap((line) => (line.startsWith('  ') ? [line.trim()] : []));
}
