import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../fault.js';
import type { World } from '../world.js';
import { orUnwritable } from './line-file.js';

/** A file that says which process works on a host. */
interface Claim {
  readonly path: string;
  readonly pid: number;
  /** Empty where its system did not say. */
  readonly birth: string;
}

/** The process that looks, and what it can tell of others. */
type Machine = Pick<World, 'pid' | 'birthOf' | 'random'> & { readonly clock: Pick<World['clock'], 'sleep'> };

const TRIES = 3;

/**
 * One run per host and state directory: a file for each process that wants it. Each puts its own there first
 * and then looks at those of others, so that of two at least one sees the other and goes; no process ever
 * removes the file of another that lives.
 * @returns how to give it up
 * @throws Fault `state.busy` (exit 75) while another process lives that claimed it, `state.unwritable`
 */
export async function claimHost(stateDir: string, host: string, machine: Machine): Promise<() => void> {
  const { pid, clock, random } = machine;
  const birth = machine.birthOf(pid) ?? '';
  const folder = join(stateDir, 'hosts', host);
  const own = join(folder, String(pid));
  orUnwritable(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  for (let attempt = 1; ; attempt += 1) {
    if (claimAt(own)?.birth === birth) throw busy(host, pid);
    // What stands there is of a process that has ended, since its number is ours now.
    orUnwritable(folder, () => writeFileSync(own, `${pid} ${birth}\n`, { mode: 0o600 }));
    const other = claimsOn(stateDir, host).find((each) => each.path !== own && stillHolds(each, machine));
    if (!other) return () => rmSync(own, { force: true });
    rmSync(own, { force: true });
    // Two that came at the same moment have both seen each other: one of them may be gone by now.
    if (attempt === TRIES) throw busy(host, other.pid);
    await clock.sleep(5 + random() * 45);
  }
}

/** Another process that works on a host right now with this state directory; null when none does. */
export function workingOn(
  stateDir: string,
  host: string,
  machine: Pick<World, 'pid' | 'birthOf'>,
): number | null {
  const others = claimsOn(stateDir, host).filter(({ pid }) => pid !== machine.pid);
  return others.find((each) => lives(each, machine))?.pid ?? null;
}

/** Clears away the claim of a process that has ended. */
function stillHolds(claim: Claim, machine: Machine): boolean {
  if (claim.pid !== machine.pid && lives(claim, machine)) return true;
  rmSync(claim.path, { force: true });
  return false;
}

function lives({ pid, birth }: Claim, { birthOf }: Pick<World, 'birthOf'>): boolean {
  const now = birthOf(pid);
  return now !== null && (birth === '' || now === '' || birth === now);
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
    return /^[1-9]\d*$/.test(pid) ? { path, pid: Number(pid), birth } : null;
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

const busy = (host: string, pid: number) =>
  new Fault(
    'state.busy',
    `Another pbs-ctl (process ${pid}) works on host "${host}" with the same state directory.`,
    { hint: 'Wait until it has ended.', exitCode: EXIT.tryLater },
  );
