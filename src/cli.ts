#!/usr/bin/env node
import { version } from './version.js';

// Whoever reads along may leave (`| head`): a run goes on to its end, and nobody is shown a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

const args = process.argv.slice(2);
// Scripts and monitoring ask for this often; nothing of the program is loaded for it.
if (args.length === 1 && (args[0] === '--version' || args[0] === '-V')) process.stdout.write(`${version}\n`);
else {
  const [{ main }, { realWorld }] = await Promise.all([import('./program.js'), import('./world.js')]);
  process.exitCode = await main(args, version, realWorld());
}
