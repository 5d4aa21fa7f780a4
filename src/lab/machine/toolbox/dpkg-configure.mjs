// `dpkg --configure -a`: repairs an interrupted run.
import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { complainOf, configure } from './configure.mjs';
import { complain, holder, lock, ROOT, rows, unlockAll } from './state.mjs';

const FRONTEND = '/var/lib/dpkg/lock-frontend';
const held = holder(FRONTEND);
if (held) {
  complain(`dpkg: error: dpkg frontend lock was locked by another process with pid ${held.pid}`);
  process.exit(2);
}
const words = process.argv.slice(2);
const keepsOld = words.some((word) => word.startsWith('--force-conf'));
const named = words.filter((word) => !word.startsWith('-'));
const all = words.includes('-a') || words.includes('--pending');
if (!all && named.length === 0) {
  complain('dpkg: error: --configure needs at least one package name argument');
  process.exit(2);
}
lock(FRONTEND, 'dpkg');
const failed = [];
for (const [status, name] of rows('packages')) {
  if (status[1] === 'i' || !(all || named.includes(name))) continue;
  const failure = await configure(name, 1, keepsOld);
  if (!failure) continue;
  complainOf(name, failure.why);
  failed.push(name);
}
// Whatever became of the packages: dpkg's journal has been worked off.
const updates = join(ROOT, 'var/lib/dpkg/updates');
for (const file of readdirSync(updates)) rmSync(join(updates, file));
unlockAll();
if (failed.length > 0) {
  complain(`Errors were encountered while processing:\n${failed.map((name) => ` ${name}`).join('\n')}`);
  process.exit(1);
}
