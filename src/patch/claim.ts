import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../fault.js';

/**
 * One run per host and state directory: a file that names the process.
 * @returns how to give it up
 * @throws Fault `state.busy` (exit 75) while another process lives that claimed it
 */
export function claimHost(stateDir: string, host: string): () => void {
  const folder = join(stateDir, 'hosts');
  const path = join(folder, `${host}.pid`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  for (let attempt = 0; attempt < 3; attempt += 1) {
    try {
      writeFileSync(path, `${process.pid}\n`, { flag: 'wx', mode: 0o600 });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      const pid = holderOf(path);
      if (pid !== null && isAlive(pid)) {
        throw new Fault(
          'state.busy',
          `Another pbs-ctl (process ${pid}) works on host "${host}" with the same state directory.`,
          {
            hint: 'Wait until it has ended.',
            exitCode: EXIT.tryLater,
          },
        );
      }
      rmSync(path, { force: true });
    }
  }
  throw new Fault('state.busy', `Host "${host}" is claimed by processes that come and go.`, {
    exitCode: EXIT.tryLater,
  });
}

/** Another process that works on a host right now with this state directory; null when none does. */
export function workingOn(stateDir: string, host: string): number | null {
  const pid = holderOf(join(stateDir, 'hosts', `${host}.pid`));
  return pid !== null && pid !== process.pid && isAlive(pid) ? pid : null;
}

function holderOf(path: string): number | null {
  try {
    const pid = Number(readFileSync(path, 'utf8').trim());
    return Number.isInteger(pid) && pid > 0 ? pid : null;
  } catch {
    return null;
  }
}

function isAlive(pid: number): boolean {
  if (pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
