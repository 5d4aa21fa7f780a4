import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const DIST = new URL('../../dist', import.meta.url);

/** Runs a module against the built product in a process of its own. @throws when it does not end with 0 */
export const runNode = (
  module: string,
  env: Record<string, string>,
): Promise<{ stdout: string; stderr: string }> =>
  promisify(execFile)(process.execPath, ['--input-type=module', '--eval', module], {
    env: { ...process.env, DIST: fileURLToPath(DIST), ...env },
  });
