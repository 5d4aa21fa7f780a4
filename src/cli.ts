#!/usr/bin/env node
import { writtenHelp } from './help-text.js';
import { version } from './version.js';

// Whoever reads along may leave (`| head`): a run goes on to its end, and nobody is shown a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const args = process.argv.slice(2);
const text = args.length === 1 ? known(args[0]) : null;
if (text !== null) process.stdout.write(text);
else {
  const [{ main }, { realWorld }, { EXIT }] = await Promise.all([
    import('./program.js'),
    import('./world.js'),
    import('./fault.js'),
  ]);
  process.exitCode = await main(args, version, realWorld());
  // What a signal has interrupted may still wait for a server, and would keep the process.
  if (process.exitCode === EXIT.interrupted)
    process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}

/** What can be answered without loading the program. A terminal has its help broken to its own width. */
function known(option: string | undefined): string | null {
  if (option === '--version' || option === '-V') return `${version}\n`;
  return (option === '--help' || option === '-h') && !process.stdout.isTTY ? writtenHelp() : null;
}
