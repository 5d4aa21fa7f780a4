import {
  closeSync,
  fchmodSync,
  fsyncSync,
  linkSync,
  mkdtempSync,
  openSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { syncFolder } from './folders.js';

/**
 * Writes a file whole or not at all, even if the power fails; `mode` is independent of the umask.
 * @param fresh never replaces a file: EEXIST if there is one
 */
export function writeAtomic(path: string, text: string, mode: number, fresh = false): void {
  // In a temporary folder next to it: on the same file system, and not mistaken for the file.
  const folder = mkdtempSync(`${path}.`);
  try {
    const half = join(folder, 'half');
    const file = openSync(half, 'wx', mode);
    try {
      fchmodSync(file, mode);
      writeFileSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    if (fresh) linkSync(half, path);
    else renameSync(half, path);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  syncFolder(dirname(path));
}
