#!/usr/bin/env node
import { main } from './program.js';
import { version } from './version.js';
import { realWorld } from './world.js';

process.exitCode = await main(process.argv.slice(2), version, realWorld());
