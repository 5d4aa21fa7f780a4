#!/usr/bin/env node
import { version } from './version.js';

// The reader of the output may leave (`| head`): a run still continues to its end, without a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const args = process.argv.slice(2);
// Answered without loading the program.
if (args.length === 1 && /^(--version|-V)$/.test(args[0] ?? '')) process.stdout.write(`${version}\n`);
else {
  const [{ main }, { realWorld }, { EXIT }] = await Promise.all([
    import('./program.js'),
    import('./world.js'),
    import('./fault.js'),
  ]);
  process.exitCode = await main(args, version, realWorld());
  // An interrupted request may still wait for a server, which would keep the process alive.
  if (process.exitCode === EXIT.interrupted)
    process.stdout.write('', () => process.stderr.write('', () => process.exit()));
}
