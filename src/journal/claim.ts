import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { EXIT, Fault } from '../fault.js';
import type { World } from '../world.js';
import { orUnwritable } from './line-file.js';

/** A file that names the process that works on a host. */
interface Claim {
  readonly path: string;
  readonly pid: number;
  /** Empty where unknown. */
  readonly birth: string;
}

type Machine = Pick<World, 'pid' | 'birthOf' | 'random'> & { readonly clock: Pick<World['clock'], 'sleep'> };

const TRIES = 3;

/**
 * One run per host and state directory: each process writes a file first and then looks at those of others, so
 * that of two at least one sees the other and gives up. The file of a living process is never removed by
 * another.
 * @returns releases the claim
 * @throws Fault `state.busy` (exit 75) while another process has it, `state.unwritable`
 */
export async function claimHost(stateDir: string, host: string, machine: Machine): Promise<() => void> {
  const { pid, clock, random } = machine;
  const birth = machine.birthOf(pid) ?? '';
  const folder = join(stateDir, 'hosts', host);
  const own = join(folder, String(pid));
  orUnwritable(folder, () => mkdirSync(folder, { recursive: true, mode: 0o700 }));
  for (let attempt = 1; ; attempt += 1) {
    if (claimAt(own)?.birth === birth) throw busy(host, pid);
    // The file is of a process that has ended, since its pid is ours now.
    orUnwritable(folder, () => writeFileSync(own, `${pid} ${birth}\n`, { mode: 0o600 }));
    const other = claimsOn(stateDir, host).find((each) => each.path !== own && stillHolds(each, machine));
    if (!other) return () => rmSync(own, { force: true });
    rmSync(own, { force: true });
    // Two at the same moment both see each other: the other may have given up by now.
    if (attempt === TRIES) throw busy(host, other.pid);
    await clock.sleep(5 + random() * 45);
  }
}

/** Another process that works on a host with this state directory; null if none does. */
export function workingOn(
  stateDir: string,
  host: string,
  machine: Pick<World, 'pid' | 'birthOf'>,
): number | null {
  const others = claimsOn(stateDir, host).filter(({ pid }) => pid !== machine.pid);
  return others.find((each) => lives(each, machine))?.pid ?? null;
}

/** Removes the claim of a process that has ended. */
function stillHolds(claim: Claim, machine: Machine): boolean {
  if (claim.pid !== machine.pid && lives(claim, machine)) return true;
  rmSync(claim.path, { force: true });
  return false;
}

function lives({ pid, birth }: Claim, { birthOf }: Pick<World, 'birthOf'>): boolean {
  const now = birthOf(pid);
  return now !== null && (birth === '' || now === '' || birth === now);
}

/** Older versions had a single file per host, with the pid. */
function claimsOn(stateDir: string, host: string): Claim[] {
  const folder = join(stateDir, 'hosts', host);
  const paths = [
    join(stateDir, 'hosts', `${host}.pid`),
    ...namesIn(folder).map((name) => join(folder, name)),
  ];
  return paths.flatMap((path) => claimAt(path) ?? []);
}

/** Null where there is none, or one is being written: its writer will see ours. */
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
