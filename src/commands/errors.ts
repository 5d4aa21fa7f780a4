import type { CommanderError } from 'commander';
import { EXIT, type ExitCode, errorDocument, Fault, Problems } from '../fault.js';
import { oneLine } from '../printable.js';
import type { World } from '../world.js';

/** What commander could not understand: it has printed why, but not what to do about a name without an option. */
export function usage(error: CommanderError, json: boolean, world: World): ExitCode {
  // Commander only prints its help then.
  const unnamed = error.code === 'commander.help';
  const message = unnamed ? 'No command was named.' : error.message.replace(/^error: /, '');
  if (json)
    world.stdout.write(
      `${JSON.stringify({ error: { code: 'usage', message, hint: 'See pbs-ctl --help.' } })}\n`,
    );
  else if (error.code === 'commander.excessArguments')
    world.stderr.write('  Name hosts with --host and clusters with --cluster.\n');
  return EXIT.usage;
}

/** Anything but a Fault is a bug. */
export async function report(error: unknown, json: boolean, world: World): Promise<ExitCode> {
  const document = errorDocument(error);
  if (json) world.stdout.write(`${JSON.stringify({ error: document }, null, 2)}\n`);
  else {
    const words = error instanceof Problems ? document.message : oneLine(document.message);
    const message = await forReading(`pbs-ctl: ${words}`, world);
    const hint = document.hint ? `${await forReading(document.hint.replace(/^/gm, '  '), world)}\n` : '';
    world.stderr.write(`${message}\n${hint}`);
  }
  if (!(error instanceof Fault) && world.env.PBS_CTL_DEBUG)
    world.stderr.write(`${(error as Error)?.stack}\n`);
  return error instanceof Fault ? error.exitCode : EXIT.failed;
}

/** Wrapped on a terminal only: in a file, lines are searched for. */
async function forReading(text: string, { stderr }: World): Promise<string> {
  if (!stderr.isTTY || text.length < stderr.columns) return text;
  const { hintLines } = await import('../report/layout.js');
  const broken = (line: string) => {
    const indent = /^ */.exec(line)?.[0] ?? '';
    return hintLines(line.trim(), stderr.columns - indent.length).map((each) => `${indent}${each}`);
  };
  return text
    .split('\n')
    .flatMap((line) => (line.length < stderr.columns ? [line] : broken(line)))
    .join('\n');
}
