#!/usr/bin/env node
import { main } from './program.js';
import { version } from './version.js';
import { realWorld } from './world.js';

// Whoever reads along may leave (`| head`): a run goes on to its end, and nobody is shown a stack trace.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {});

process.exitCode = await main(process.argv.slice(2), version, realWorld());
