import { loadConfig } from '../config/load.js';
import type { Config } from '../config/schema.js';
import { stateDirOf, type Target, targetOf } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import { oneLine } from '../printable.js';
import type { Style } from '../report/layout.js';
import type { World } from '../world.js';

/** Options of every command. */
export type GlobalOptions = {
  readonly config?: string;
  readonly json?: boolean;
  readonly quiet?: boolean;
  readonly verbose?: boolean;
  /** commander's form of `--no-color`. */
  readonly color?: boolean;
};

export interface Context {
  readonly world: World;
  readonly options: GlobalOptions;
  /** How a text is drawn on stdout. */
  readonly style: Style;
  /** Prints the one JSON document with `--json`, the text otherwise. */
  answer(document: unknown, text: string): void;
}

/** @returns the exit code: one of EXIT, or that of a program that was run */
export type Command<Options> = (context: Context, options: Options) => Promise<number>;

export function contextOf(world: World, options: GlobalOptions): Context {
  const trace = (line: string) => world.stderr.write(`${oneLine(line)}\n`);
  return {
    world: options.verbose ? { ...world, trace } : world,
    options,
    style: {
      color: options.color !== false && !world.env.NO_COLOR && world.stdout.isTTY,
      get columns() {
        return world.stdout.columns;
      },
    },
    answer: (document, text) =>
      world.stdout.write(
        options.json
          ? `${JSON.stringify(document, null, 2)}\n`
          : text.endsWith('\n') || text === ''
            ? text
            : `${text}\n`,
      ),
  };
}

export interface LoadedConfig {
  readonly path: string;
  readonly config: Config;
  readonly stateDir: string;
}

export async function load({ world, options }: Context): Promise<LoadedConfig> {
  const { path, config } = await loadConfig({
    ...(options.config === undefined ? {} : { path: options.config }),
    env: world.env,
    cwd: world.cwd,
  });
  return { path, config, stateDir: stateDirOf(config, world.env) };
}

export interface HostOptions {
  readonly host: readonly string[] | undefined;
  /** Absent where a command takes one host. */
  readonly all?: boolean | undefined;
}

/** The hosts that `--host` and `--all` name. @throws Fault `usage.no-host`, `config.unknown-host` (exit 2) */
export function targetsOf(config: Config, options: HostOptions, everyByDefault = false): Target[] {
  const { host, all } = options;
  const known = Object.keys(config.hosts);
  const wanted = all || (everyByDefault && !host?.length) ? known : [...new Set(host ?? [])];
  if (wanted.length === 0) {
    throw new Fault('usage.no-host', 'No host was named.', {
      hint: `Name one with --host (${known.join(', ') || 'the config has none'})${'all' in options ? ', or all of them with --all' : ''}.`,
      exitCode: EXIT.usage,
    });
  }
  return wanted.map((name) => targetOf(config, name));
}
