// What the larger stand-ins share: the machine's tables, its locks, its reports to the lab.
import {
  appendFileSync,
  existsSync,
  readFileSync,
  renameSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';

export const ROOT = process.env.LAB_ROOT ?? '';
export const STATE = process.env.LAB_STATE ?? '';
const FACTOR = Number(process.env.LAB_FACTOR ?? 1);

/** Waits simulated seconds. */
export const wait = (seconds) => new Promise((resolve) => setTimeout(resolve, (seconds * 1000) / FACTOR));
export const realMs = (seconds) => (seconds * 1000) / FACTOR;

// Written at once and not buffered: a kill in the middle must leave what was printed before.
export const print = (text) => write(1, `${text}\n`);
export const complain = (text) => write(2, `${text}\n`);

export function write(fd, text) {
  try {
    writeSync(fd, text);
  } catch {
    // A closed stream stops no dpkg.
  }
}

export function rows(table) {
  const file = join(STATE, table);
  if (!existsSync(file)) return [];
  return readFileSync(file, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => line.split('\t'));
}

export function save(table, content) {
  const file = join(STATE, table);
  writeFileSync(`${file}.new`, content.map((row) => `${row.join('\t')}\n`).join(''));
  renameSync(`${file}.new`, file);
}

export function report(kind, detail = {}) {
  appendFileSync(join(STATE, 'events'), `${JSON.stringify({ kind, ...detail })}\n`);
}

/** Sets state ("i", "U", "F") and version of an installed package, or adds it. */
export function setPackage(name, letter, version) {
  const packages = rows('packages');
  const found = packages.find((row) => row[1] === name);
  if (found) {
    found[0] = `${found[0][0]}${letter} `;
    if (version) found[2] = version;
  } else packages.push([`i${letter} `, name, version, '']);
  packages.sort((left, right) => (left[1] < right[1] ? -1 : 1));
  save('packages', packages);
}

export const dropPackage = (name) =>
  save(
    'packages',
    rows('packages').filter((row) => row[1] !== name),
  );
export const dropPending = (name) =>
  save(
    'pending',
    rows('pending').filter((row) => row[1] !== name),
  );

/** Who holds a lock of apt: `{pid, process}` or null. Locks of the dead do not count. */
export function holder(file) {
  const row = rows('locks').find(
    ([held, pid, , until]) => held === file && Number(pid) !== process.pid && live(pid, until),
  );
  return row ? { pid: row[1], process: row[2] } : null;
}

export function lock(file, name) {
  save('locks', [
    ...rows('locks').filter(([held]) => held !== file),
    [file, String(process.pid), name, '-1'],
  ]);
  showLocks();
}

export function unlockAll() {
  save(
    'locks',
    rows('locks').filter(([, pid]) => Number(pid) !== process.pid),
  );
  showLocks();
}

function showLocks() {
  const lines = rows('locks').flatMap(([file, pid], index) =>
    existsSync(join(ROOT, file))
      ? [`${index + 1}: POSIX  ADVISORY  WRITE ${pid} fe:00:${statSync(join(ROOT, file)).ino} 0 EOF\n`]
      : [],
  );
  writeFileSync(join(ROOT, 'proc/locks'), lines.join(''));
}

function live(pid, until) {
  if (Number(until) > 0) return Date.now() < Number(until);
  if (Number(until) === 0) return true;
  try {
    process.kill(Number(pid), 0);
    // A killed process whose parent was killed too may stay in the table for long.
    const stat = `/proc/${pid}/stat`;
    return !(existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8')));
  } catch {
    return false;
  }
}
