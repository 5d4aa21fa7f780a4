import type { Pbs } from '../api/pbs.js';
import { hostState } from '../checks/host-state.js';
import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, type ExitCode, errorDocument, isShutOut, worstExitCode } from '../fault.js';
import { AnswerCache } from '../host/answer-cache.js';
import { openCluster, openPbs, readReferences } from '../host/open.js';
import { type PastRuns, postponementsOf, readRuns, runsOf } from '../journal/runs.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import { look } from '../lock/lock.js';
import { isoFromSeconds } from '../moment.js';
import type { HostStatus } from '../report/status-text.js';
import { statusText } from '../report/status-text.js';
import type { Clock, World } from '../world.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** So many hosts are asked at once, each over one connection: a look at a fleet is no flood. */
const CONNECTIONS = 128;

export const status: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const targets = targetsOf(config, options, true);
  await readReferences(config, targets, world);
  const postponed = postponedIn(stateDir);
  const locks = lockHolders(config, world);
  const connections = targets.length > CONNECTIONS / 16 ? 1 : undefined;
  const codes: ExitCode[] = [];
  const hosts = await atMost(CONNECTIONS, targets, async (target): Promise<HostStatus> => {
    const { host } = target;
    const pbs = await openPbs(target, world, connections);
    try {
      // Two servers: a PVE that does not answer says nothing about the PBS, nor the other way round.
      const [state, lock] = await Promise.allSettled([stateOf(pbs, world.clock), locks.holderFor(target)]);
      const lockError = lock.status === 'rejected' ? errorDocument(lock.reason) : null;
      const failed = [state, lock].find((each) => each.status === 'rejected');
      // A refused token or certificate is no reason to wait.
      if (failed) codes.push(isShutOut(failed.reason) ? EXIT.failed : EXIT.tryLater);
      return {
        host,
        ...(state.status === 'fulfilled' ? state.value : UNREACHABLE),
        lock: lock.status === 'fulfilled' ? lock.value : null,
        lockError,
        postponed: postponed(host),
        error: state.status === 'rejected' ? errorDocument(state.reason) : lockError,
      };
    } finally {
      await pbs.close();
    }
  });
  await locks.close();
  context.answer({ hosts }, statusText(hosts, style));
  return worstExitCode<ExitCode>(EXIT.done, ...codes);
};

const UNREACHABLE = {
  reachable: false,
  version: null,
  kernel: null,
  uptimeSeconds: null,
  updates: null,
  datastores: [],
  tasks: [],
};

/** Why is a host not patched? Told by the journal, so also while it cannot be reached. */
function postponedIn(stateDir: string): (host: string) => HostStatus['postponed'] {
  let past: PastRuns;
  try {
    past = readRuns(stateDir);
  } catch {
    return () => null; // another user's, perhaps: no reason to hide the rest
  }
  return (host) => {
    try {
      const own = runsOf(stateDir, host, past);
      const last = own.findLast(({ mode, ended }) => mode === 'patch' && ended);
      const { count, since } = postponementsOf(own);
      const blocks = (last?.findings ?? []).filter(({ status }) => status === 'block');
      return { count, since, checks: count === 0 ? [] : blocks.map(({ id }) => id) };
    } catch {
      return null;
    }
  };
}

/** What the PBS itself tells. What is answered at once is asked first: with one connection the rest waits behind it. */
async function stateOf(
  client: Pbs,
  clock: Clock,
): Promise<Omit<HostStatus, 'host' | 'lock' | 'lockError' | 'postponed' | 'error'>> {
  const pbs = new AnswerCache(clock).pbs(client);
  const [{ uptimeSeconds }, tasks, , , state, updates] = await Promise.all([
    pbs.nodeStatus(),
    pbs.runningTasks(),
    pbs.time(),
    pbs.datastores(),
    hostState({ pbs }),
    pbs.updates(),
  ]);
  return {
    reachable: true,
    version: state.version,
    kernel: state.kernel,
    uptimeSeconds,
    updates: updates.length,
    datastores: state.datastores,
    tasks: tasks.map(({ upid, type, id }) => ({ upid, type, id })),
  };
}

type Holder = HostStatus['lock'];

/** Who holds the locks, each cluster asked once however many hosts it has. */
function lockHolders(config: Config, world: World) {
  const clusters: ClusterAccess[] = [];
  const asked = new Map<string, Promise<Holder>>();
  const ask = async (name: string): Promise<Holder> => {
    const cluster = await openCluster(config, name, world);
    clusters.push(cluster);
    return holderOf(cluster);
  };
  return {
    /** Who holds a lock that a run on this host would need; the first in alphabetical order. */
    async holderFor(target: Target): Promise<Holder> {
      const holders = await Promise.all(
        target.clusters.map((name) => {
          const holder = asked.get(name) ?? ask(name);
          asked.set(name, holder);
          return holder;
        }),
      );
      return holders.find((holder) => holder !== null) ?? null;
    },
    close: () => Promise.all(clusters.map(({ pve }) => pve.close())),
  };
}

async function holderOf({ name, lock }: ClusterAccess): Promise<Holder> {
  const current = await look(lock);
  if (current.kind === 'free') return null;
  if (current.kind === 'unreadable') return { cluster: name, owner: null, run: null, expiresAt: null };
  const { owner, run, expiresAt } = current.lock;
  return { cluster: name, owner, run, expiresAt: isoFromSeconds(expiresAt) };
}

/** Does something with each item, so many at once. @returns the results in the order of the items */
async function atMost<Item, Result>(
  many: number,
  items: readonly Item[],
  act: (item: Item) => Promise<Result>,
): Promise<Result[]> {
  const results: Result[] = [];
  const waiting = items.entries();
  const worker = async () => {
    for (const [index, item] of waiting) results[index] = await act(item);
  };
  await Promise.all(Array.from({ length: Math.min(many, items.length) }, worker));
  return results;
}
