import { closeSync, fsyncSync, lstatSync, mkdirSync, openSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { EXIT, Fault } from '../fault.js';

/**
 * Makes a folder and those above it, for its owner only, each of them on disk afterwards: a file in a folder that a
 * power failure takes back is gone, however it was flushed. Each is tried once: Node's own way never ends below /proc.
 * @throws Error of the file system
 */
export function makeFolder(path: string): void {
  const exists = (error: unknown) =>
    (error as NodeJS.ErrnoException).code === 'EEXIST' && statSync(path).isDirectory();
  const make = () => {
    try {
      mkdirSync(path, { mode: 0o700 });
    } catch (error) {
      if (exists(error)) return;
      throw error;
    }
    syncFolder(dirname(path));
  };
  try {
    make();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ENOENT' || dirname(path) === path) throw error;
    makeFolder(dirname(path));
    make();
  }
}

/** Not every file system can; what is in it is whole anyway. */
export function syncFolder(path: string): void {
  try {
    const folder = openSync(path, 'r');
    try {
      fsyncSync(folder);
    } finally {
      closeSync(folder);
    }
  } catch {}
}

/**
 * Why the state directory is not to be trusted: a run does what its journals say. Null where it is, or is not there yet.
 */
export function unsafeState(stateDir: string): { readonly why: string; readonly fix: string } | null {
  for (const path of [stateDir, join(stateDir, 'runs'), join(stateDir, 'hosts')]) {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (!found) continue;
    if (path !== stateDir && found.isSymbolicLink())
      return {
        why: `${path} is a link to another place`,
        fix: `ls -l ${path}`,
      };
    const { mode } = path === stateDir ? statSync(path) : found;
    if (mode & 0o002)
      return {
        why: `anyone may write ${path} (mode ${(mode & 0o7777).toString(8)})`,
        fix: `chmod o-w ${path}`,
      };
  }
  return null;
}

/** @throws Fault `state.unsafe` (exit 2) */
export function requireSafe(stateDir: string): void {
  const unsafe = unsafeState(stateDir);
  if (unsafe)
    throw new Fault(
      'state.unsafe',
      `The state directory is not to be trusted: ${unsafe.why}, and a run does what its journals say.`,
      { hint: `Look at what is in it, then correct that:\n${unsafe.fix}`, exitCode: EXIT.usage },
    );
}
