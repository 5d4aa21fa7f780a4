import { ApiFault, DaemonDown } from '../api/failure.js';
import type { Pbs } from '../api/pbs.js';
import { datastoreStates, installedPbs, runningPbs } from '../checks/host-state.js';
import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, type ExitCode, errorDocument, isShutOut, worstExitCode } from '../fault.js';
import { AnswerCache } from '../host/answer-cache.js';
import { answerOf } from '../host/answers.js';
import { deadlineFor, openCluster, openPbs, readReferences } from '../host/open.js';
import { postponementsOf } from '../journal/owed.js';
import { type PastRuns, readRuns, runsOf } from '../journal/runs.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import { look } from '../lock/look.js';
import { isoFromSeconds } from '../moment.js';
import type { HostStatus } from '../report/status-text.js';
import { statusText } from '../report/status-text.js';
import type { Clock, World } from '../world.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** For the whole fleet: beyond a few hosts each gets one. */
const CONNECTIONS = 128;

export const status: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const targets = targetsOf(config, options, true);
  await readReferences(config, targets, world);
  const postponed = postponedIn(stateDir);
  const locks = lockHolders(config, world);
  // For a fleet one connection a host, each with what is answered at once first.
  const connections = targets.length > CONNECTIONS / 16 ? { connections: 1 } : {};
  const codes: ExitCode[] = [];
  const hosts = await atMost(CONNECTIONS, targets, async (target): Promise<HostStatus> => {
    const { host } = target;
    const pbs = await openPbs(target, world, { ...connections, deadline: deadlineFor(target, world) });
    try {
      // Two servers: a PVE that does not answer says nothing about the PBS, nor the other way round.
      const [state, lock] = await Promise.all([stateOf(pbs, world.clock), settled(locks.holderFor(target))]);
      const { failures, ...seen } = state;
      const lockError = lock.status === 'rejected' ? errorDocument(lock.reason) : null;
      const [error] = failures;
      const failed = [...failures, ...(lock.status === 'rejected' ? [lock.reason] : [])];
      // A refused token or certificate is no reason to wait.
      if (failed.length > 0) codes.push(failed.some(isShutOut) ? EXIT.failed : EXIT.tryLater);
      return {
        host,
        ...seen,
        lock: lock.status === 'fulfilled' ? lock.value : null,
        lockError,
        postponed: postponed(host),
        error: error === undefined ? lockError : errorDocument(error),
      };
    } finally {
      await pbs.close();
    }
  });
  await locks.close();
  context.answer({ hosts }, statusText(hosts, style));
  return worstExitCode<ExitCode>(EXIT.done, ...codes);
};

/** From the journal, so also for a host that is not reachable. */
function postponedIn(stateDir: string): (host: string) => HostStatus['postponed'] {
  let past: PastRuns;
  try {
    past = readRuns(stateDir);
  } catch {
    return () => null; // perhaps another user's
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

type State = Omit<HostStatus, 'host' | 'lock' | 'lockError' | 'postponed' | 'error'>;

/** What PBS reports, as far as it answers; what went wrong, the reason for the rest first. */
async function stateOf(
  client: Pbs,
  clock: Clock,
): Promise<State & { readonly failures: readonly unknown[] }> {
  const pbs = new AnswerCache(clock).pbs(client);
  const [node, tasks, listed, daemon, packages, datastores, updates] = await Promise.allSettled([
    pbs.nodeStatus(),
    pbs.runningTasks(),
    pbs.datastores(),
    pbs.daemonAnswers(),
    pbs.packages(),
    datastoreStates({ pbs }),
    pbs.updates(),
  ]);
  const installed = installedPbs(answerOf(packages) ?? []);
  const version = installed === null ? await settled(runningPbs({ pbs })) : null;
  const all = [node, tasks, listed, daemon, packages, datastores, updates, ...(version ? [version] : [])];
  const failures = all.flatMap((each) => (each.status === 'rejected' ? [each.reason as unknown] : []));
  const status = answerOf(node);
  return {
    reachable: all.some((each) => each.status === 'fulfilled') || failures.some(hasAnswered),
    version: installed ?? (version && answerOf(version)),
    kernel: status?.kernel ?? null,
    uptimeSeconds: status?.uptimeSeconds ?? null,
    updates: answerOf(updates)?.length ?? null,
    datastores: answerOf(datastores) ?? [],
    tasks: (answerOf(tasks) ?? []).map(({ upid, type, id }) => ({ upid, type, id })),
    unknown: [...(answerOf(datastores) ? [] : ['datastores']), ...(answerOf(tasks) ? [] : ['tasks'])],
    failures: failures.toSorted((one, other) => explains(other) - explains(one)),
  };
}

const hasAnswered = (error: unknown) => error instanceof ApiFault && error.status !== null;

/** How much an error explains: a token that is refused all of them, a daemon that hangs some. */
const explains = (error: unknown): number => (isShutOut(error) ? 2 : error instanceof DaemonDown ? 1 : 0);

const settled = async <Value>(asked: Promise<Value>): Promise<PromiseSettledResult<Value>> =>
  (await Promise.allSettled([asked]))[0];

type Holder = HostStatus['lock'];

/** Asks each cluster once, however many hosts it has. */
function lockHolders(config: Config, world: World) {
  const clusters: ClusterAccess[] = [];
  const asked = new Map<string, Promise<Holder>>();
  const ask = async (name: string): Promise<Holder> => {
    const cluster = await openCluster(config, name, world, { deadline: deadlineFor(config, world) });
    clusters.push(cluster);
    return holderOf(cluster);
  };
  return {
    /** Who holds a lock that a run on this host needs; the first by name of the cluster. */
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
  const { counts } = await look(lock);
  if (counts === null) return null;
  if (counts.lock === 'unreadable') return { cluster: name, owner: null, run: null, expiresAt: null };
  const { owner, run, expiresAt } = counts.lock;
  return { cluster: name, owner, run, expiresAt: isoFromSeconds(expiresAt) };
}

/** At most `many` at once. @returns the results in the order of the items */
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
