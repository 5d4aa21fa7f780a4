import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../fault.js';
import { orUnwritable } from './line-file.js';
import { type Processes, type ProcessId, realProcesses } from './processes.js';

interface Claim {
  readonly path: string;
  readonly by: ProcessId;
}

const TRIES = 3;

/**
 * One run per host and state directory: a file for each process that wants it. Each puts its own there first
 * and then looks at those of others, so that of two at least one sees the other and goes; nobody ever removes
 * the file of a process that lives.
 * @returns how to give it up
 * @throws Fault `state.busy` (exit 75) while another process lives that claimed it, `state.unwritable`
 */
export function claimHost(stateDir: string, host: string, processes = realProcesses): () => void {
  const { self } = processes;
  const folder = join(stateDir, 'hosts', host);
  const own = join(folder, String(self.pid));
  orUnwritable(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  for (let attempt = 1; ; attempt += 1) {
    const before = claimAt(own);
    if (before && same(before.by, self)) throw busy(host, self.pid);
    // What stands there is of a process that has ended, since its number is ours now.
    orUnwritable(folder, () => writeFileSync(own, `${self.pid} ${self.birth}\n`, { mode: 0o600 }));
    const other = claimsOn(stateDir, host).find(
      ({ path, by }) => path !== own && stillHolds(path, by, processes),
    );
    if (!other) return () => rmSync(own, { force: true });
    rmSync(own, { force: true });
    // Two that came at the same moment have both seen each other: one of them may be gone by now.
    if (attempt === TRIES) throw busy(host, other.by.pid);
    processes.pause();
  }
}

/** Another process that works on a host right now with this state directory; null when none does. */
export function workingOn(stateDir: string, host: string): number | null {
  const others = claimsOn(stateDir, host).filter(({ by }) => by.pid !== process.pid);
  return others.find(({ by }) => realProcesses.lives(by))?.by.pid ?? null;
}

/** Clears away the claim of a process that has ended. */
function stillHolds(path: string, by: ProcessId, { self, lives }: Processes): boolean {
  if (by.pid !== self.pid && lives(by)) return true;
  rmSync(path, { force: true });
  return false;
}

/** Versions before this one had a single file for a host, in which the number of the process stood. */
function claimsOn(stateDir: string, host: string): Claim[] {
  const folder = join(stateDir, 'hosts', host);
  const paths = [
    join(stateDir, 'hosts', `${host}.pid`),
    ...namesIn(folder).map((name) => join(folder, name)),
  ];
  return paths.flatMap((path) => claimAt(path) ?? []);
}

/** Null where there is none, or one that is just being written: its writer will see ours. */
function claimAt(path: string): Claim | null {
  try {
    const [pid = '', birth = ''] = readFileSync(path, 'utf8').trim().split(' ');
    return /^[1-9]\d*$/.test(pid) ? { path, by: { pid: Number(pid), birth } } : null;
  } catch {
    return null;
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const same = (one: ProcessId, other: ProcessId) => one.pid === other.pid && one.birth === other.birth;

const busy = (host: string, pid: number) =>
  new Fault(
    'state.busy',
    `Another pbs-ctl (process ${pid}) works on host "${host}" with the same state directory.`,
    { hint: 'Wait until it has ended.', exitCode: EXIT.tryLater },
  );
