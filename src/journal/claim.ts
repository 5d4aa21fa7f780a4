import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { z } from 'zod';
import { EXIT, Fault } from '../fault.js';
import type { World } from '../world.js';
import { makeFolder, requireSafe } from './folders.js';
import { orUnwritable } from './line-file.js';
import { type Listening, listenAt, listensAt } from './listening.js';

/**
 * What a process writes down that works on a host. Whether it lives is told by its socket: a process id says
 * nothing in another container.
 */
const Claim = z.object({
  pid: z.number(),
  hostname: z.string(),
  machine: z.string().nullable(),
  boot: z.string().nullable(),
  /** False on a file system that carries no sockets. */
  listens: z.boolean(),
});
type Claim = z.output<typeof Claim>;

interface Found {
  readonly id: string;
  readonly claim: Claim | null;
  readonly state: 'alive' | 'dead' | 'unknown';
  /** It has looked at all others after having written its own, and holds the host. */
  readonly settled: boolean;
}

type Machine = Pick<World, 'pid' | 'thisBoot' | 'randomWord'> & {
  readonly clock: Pick<World['clock'], 'sleep'>;
};

export interface HostClaim {
  /** Processes that may be at work on the host and cannot be asked whether they live; null where there is none. */
  readonly unknown: string | null;
  /** Those can hold the host no longer: this process has its locks. */
  forgetUnknown(): void;
  release(): void;
}

const AGAIN_MS = 20;
const PATIENCE = 250;
/** Claims of this very process. */
const own = new Set<string>();

/**
 * One run per host and state directory, whatever containers share it. Each process listens, writes its claim and
 * then looks at the others: of two at least one sees the other. The one whose name comes first stays, and holds the
 * host once no other is left. What a living process has written is never removed by another.
 * @throws Fault `state.busy` (exit 75) while another process has it, `state.unwritable`, `state.unsafe`
 */
export async function claimHost(stateDir: string, host: string, machine: Machine): Promise<HostClaim> {
  const folder = folderOf(stateDir, host);
  orUnwritable(folder, () => {
    requireSafe(stateDir);
    makeFolder(folder);
  });
  const id = machine.randomWord(8);
  const at = pathsOf(folder, id);
  const listening = await listenAt(at.socket);
  const release = () => {
    own.delete(id);
    remove(at, listening);
  };
  try {
    own.add(id);
    const claim: Claim = { pid: machine.pid, ...machine.thisBoot(), listens: listening !== null };
    orUnwritable(folder, () => writeFileSync(at.claim, `${JSON.stringify(claim)}\n`, { mode: 0o600 }));
    const unknown = await standAlone(folder, host, id, machine);
    orUnwritable(folder, () => writeFileSync(at.settled, '', { mode: 0o600 }));
    return {
      unknown: unknown.length === 0 ? null : unknown.map(nameOf).join(', '),
      forgetUnknown: () => {
        for (const each of unknown) remove(pathsOf(folder, each.id), null);
      },
      release,
    };
  } catch (error) {
    release();
    throw error;
  }
}

/** Waits until those that come later have seen this claim and gone. @returns those that cannot be asked */
async function standAlone(folder: string, host: string, id: string, machine: Machine): Promise<Found[]> {
  for (let tried = 1; ; tried += 1) {
    const others = (await claimsIn(folder, machine)).filter((each) => each.id !== id);
    for (const { id: dead } of others.filter(({ state }) => state === 'dead'))
      remove(pathsOf(folder, dead), null);
    const alive = others.filter(({ state }) => state === 'alive');
    const stays = alive.find(({ settled, id: other }) => settled || other < id);
    if (stays) throw busy(host, stays);
    const [first] = alive;
    if (!first) return others.filter(({ state }) => state === 'unknown');
    if (tried === PATIENCE) throw busy(host, first);
    await machine.clock.sleep(AGAIN_MS);
  }
}

/** Another process that works on a host with this state directory; null if none is known to. */
export async function workingOn(
  stateDir: string,
  host: string,
  machine: Pick<World, 'thisBoot'>,
): Promise<number | null> {
  const found = await claimsIn(folderOf(stateDir, host), machine);
  return found.find(({ id, state }) => state === 'alive' && !own.has(id))?.claim?.pid ?? null;
}

async function claimsIn(folder: string, machine: Pick<World, 'thisBoot'>): Promise<Found[]> {
  const names = namesIn(folder);
  const ids = names.filter((name) => !/\.(sock|settled)$/.test(name));
  const found = await Promise.all(
    ids.map(async (id): Promise<Found[]> => {
      const at = pathsOf(folder, id);
      const claim = claimAt(at.claim);
      if (claim === 'none') return [];
      const state = await stateOf(claim, at.socket, machine);
      // It has ended, and taken its claim away, while it was asked.
      if (state === 'unknown' && !existsSync(at.claim)) return [];
      return [{ id, claim, state, settled: names.includes(`${id}.settled`) }];
    }),
  );
  return found.flat();
}

async function stateOf(
  claim: Claim | null,
  socket: string,
  { thisBoot }: Pick<World, 'thisBoot'>,
): Promise<Found['state']> {
  const here = thisBoot();
  if (claim === null || claim.boot === null || here.boot === null) return 'unknown';
  if (claim.boot !== here.boot) {
    // An image of a container may bring the same machine id to many machines, but not their name.
    const isThis =
      claim.machine !== null && claim.machine === here.machine && claim.hostname === here.hostname;
    return isThis ? 'dead' : 'unknown';
  }
  if (!claim.listens) return 'unknown';
  const answer = await listensAt(socket);
  return answer === 'yes' ? 'alive' : answer === 'no' ? 'dead' : 'unknown';
}

/** `none` where there is none, or one is being written: its writer will see ours. Null for one of an older version. */
function claimAt(path: string): Claim | null | 'none' {
  try {
    const text = readFileSync(path, 'utf8');
    if (!text.endsWith('\n')) return 'none';
    const parsed = Claim.safeParse(text.startsWith('{') ? JSON.parse(text) : null);
    return parsed.success ? parsed.data : null;
  } catch (error) {
    return error instanceof SyntaxError ? null : 'none';
  }
}

// A socket is found by its whole path, whatever the folder of the process is by then.
const folderOf = (stateDir: string, host: string) => resolve(stateDir, 'hosts', host);

const pathsOf = (folder: string, id: string) => ({
  claim: resolve(folder, id),
  socket: resolve(folder, `${id}.sock`),
  settled: resolve(folder, `${id}.settled`),
});

/** The claim first: without it no one asks the socket. */
function remove({ claim, socket, settled }: ReturnType<typeof pathsOf>, listening: Listening | null): void {
  rmSync(claim, { force: true });
  rmSync(settled, { force: true });
  listening?.close();
  rmSync(socket, { force: true });
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const nameOf = ({ claim }: Found) =>
  claim ? `process ${claim.pid} of ${claim.hostname}` : 'a process of an earlier version of pbs-ctl';

const busy = (host: string, other: Found) =>
  new Fault(
    'state.busy',
    `Another pbs-ctl (${nameOf(other)}) works on host "${host}" with the same state directory.`,
    { hint: 'Wait until it has ended.', exitCode: EXIT.tryLater },
  );
