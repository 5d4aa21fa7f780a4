import type { CommanderError } from 'commander';
import { EXIT, type ExitCode, errorDocument, Fault } from '../fault.js';
import type { World } from '../world.js';

/** What commander could not understand. It has printed its own words, but for what to do about a name without an option. */
export function usage(error: CommanderError, json: boolean, world: World): ExitCode {
  // Commander shows its help then, and has no words for why.
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

/** A Fault in its words; what is none is a bug, and says so. */
export async function report(error: unknown, json: boolean, world: World): Promise<ExitCode> {
  const document = errorDocument(error);
  if (json) world.stdout.write(`${JSON.stringify({ error: document }, null, 2)}\n`);
  else {
    const message = await forReading(`pbs-ctl: ${document.message}`, world);
    const hint = document.hint ? `${await forReading(document.hint.replace(/^/gm, '  '), world)}\n` : '';
    world.stderr.write(`${message}\n${hint}`);
  }
  if (!(error instanceof Fault) && world.env.PBS_CTL_DEBUG)
    world.stderr.write(`${(error as Error)?.stack}\n`);
  return error instanceof Fault ? error.exitCode : EXIT.failed;
}

/** Broken between words on a terminal; as it is in a file, where lines are searched for. */
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
