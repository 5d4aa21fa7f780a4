import { ApiFault, DaemonDown } from '../api/failure.js';
import type { Datastore } from '../api/pbs.js';
import { datastoreStates, installedPbs, runningPbs } from '../checks/host-state.js';
import { outlook } from '../checks/outlook.js';
import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, type ExitCode, errorDocument, isShutOut, worstExitCode } from '../fault.js';
import { runOfFence } from '../fence/mark.js';
import { AnswerCache, type PbsAnswers } from '../host/answer-cache.js';
import { type Answers, answerOf } from '../host/answers.js';
import { deadlineFor, openCluster, openHost, openPbs, readReferences } from '../host/open.js';
import { postponementsOf } from '../journal/owed.js';
import { type PastRuns, readRuns, runsOf } from '../journal/runs.js';
import { standingOf } from '../journal/standing.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import { look } from '../lock/look.js';
import { isoFromSeconds } from '../moment.js';
import type { HostStatus } from '../report/status-text.js';
import { statusText } from '../report/status-text.js';
import type { World } from '../world.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

/** For the whole fleet: beyond a few hosts each gets one. */
const CONNECTIONS = 128;

export const status: Command<HostOptions> = async (context, options) => {
  const { world, style } = context;
  const { config, stateDir } = await load(context);
  const targets = targetsOf(config, options, true);
  await readReferences(config, targets, world);
  const journals = journalsIn(stateDir);
  const locks = lockHolders(config, world);
  // For a fleet one connection a host, each with what is answered at once first.
  const connections = targets.length > CONNECTIONS / 16 ? { connections: 1 } : {};
  const codes: ExitCode[] = [];
  const hosts = await atMost(CONNECTIONS, targets, async (target): Promise<HostStatus> => {
    const { host } = target;
    const deadline = deadlineFor(target, world);
    // When a run fits needs everything that a check asks: only where it is about one host.
    const whole = targets.length === 1 ? await openHost(config, target, world, deadline) : null;
    const pbs = whole?.pbs ?? (await openPbs(target, world, { ...connections, deadline }));
    const answers = whole?.answers(null) ?? null;
    try {
      // Two servers: a PVE that does not answer says nothing about the PBS, nor the other way round.
      const [state, lock] = await Promise.all([
        stateOf(answers?.pbs ?? new AnswerCache(world.clock).pbs(pbs)),
        settled(locks.holderFor(target)),
      ]);
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
        ...journals(host),
        nextSafe: answers && failed.length === 0 ? await nextSafe(answers) : null,
        error: error === undefined ? lockError : errorDocument(error),
      };
    } finally {
      await (whole ?? pbs).close();
    }
  });
  await locks.close();
  context.answer({ hosts }, statusText(hosts, style));
  return worstExitCode<ExitCode>(EXIT.done, ...codes);
};

const AHEAD_HOURS = 72;

/** What else does not answer is no failure of what was seen. */
async function nextSafe(answers: Answers): Promise<string | null> {
  const seen = await outlook(answers, AHEAD_HOURS).catch(() => null);
  return seen?.plan.next ? isoFromSeconds(seen.plan.next.from) : null;
}

type FromJournals = Pick<HostStatus, 'postponed' | 'run' | 'owes' | 'lastRun'>;
const NO_JOURNAL: FromJournals = { postponed: null, run: null, owes: [], lastRun: null };

/** From the journal, so also for a host that is not reachable. */
function journalsIn(stateDir: string): (host: string) => FromJournals {
  let past: PastRuns;
  try {
    past = readRuns(stateDir);
  } catch {
    return () => NO_JOURNAL; // perhaps another user's
  }
  return (host) => {
    try {
      const own = runsOf(stateDir, host, past);
      const last = own.findLast(({ mode, ended }) => mode === 'patch' && ended);
      const { count, since } = postponementsOf(own);
      const blocks = (last?.findings ?? []).filter(({ status }) => status === 'block');
      const checks = count === 0 ? [] : blocks.map(({ id }) => id);
      return { postponed: { count, since, checks }, ...standingOf(own) };
    } catch {
      return NO_JOURNAL;
    }
  };
}

type State = Omit<HostStatus, 'host' | 'lock' | 'lockError' | 'nextSafe' | 'error' | keyof FromJournals>;

/** What PBS reports, as far as it answers; what went wrong, the reason for the rest first. */
async function stateOf(pbs: PbsAnswers): Promise<State & { readonly failures: readonly unknown[] }> {
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
    updatesAsOf: null,
    datastores: (answerOf(datastores) ?? []).map((each) => ({
      ...each,
      maintenance: modeOf(answerOf(listed)?.find(({ name }) => name === each.name)?.maintenance ?? null),
    })),
    tasks: (answerOf(tasks) ?? []).map(({ upid, type, id }) => ({ upid, type, id })),
    unknown: [...(answerOf(datastores) ? [] : ['datastores']), ...(answerOf(tasks) ? [] : ['tasks'])],
    failures: failures.toSorted((one, other) => explains(other) - explains(one)),
  };
}

const modeOf = (maintenance: Datastore['maintenance']) =>
  maintenance && { type: maintenance.type, run: runOfFence(maintenance) };

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
  if (counts.lock === 'unreadable')
    return { cluster: name, owner: null, run: null, expiresAt: null, expired: false };
  const { owner, run, expiresAt } = counts.lock;
  return { cluster: name, owner, run, expiresAt: isoFromSeconds(expiresAt), expired: counts.expired };
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
