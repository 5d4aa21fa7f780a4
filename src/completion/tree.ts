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
  };
}
