import { REFUSED } from '../api/failure.js';
import type { Pbs } from '../api/pbs.js';
import { hostState } from '../checks/host-state.js';
import { EXIT, type ExitCode, errorDocument, worstExitCode } from '../fault.js';
import { AnswerCache } from '../host/answer-cache.js';
import { openPbs } from '../host/open.js';
import { readReferences } from '../host/read-references.js';
import { type PastRuns, postponementsOf, readRuns, runsOf } from '../journal/runs.js';
import type { HostStatus } from '../report/host-text.js';
import { statusText } from '../report/host-text.js';
import type { Clock } from '../world.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';
import { inLanes } from './in-lanes.js';
import { lockHolders } from './lock-holders.js';

/** So many hosts are asked at once, each over one connection: a look at a fleet is no flood. */
const CONNECTIONS = 128;

export const status: Command<HostOptions> = async (context, options) => {
  const { world, color } = context;
  const { config, stateDir } = await load(context);
  const targets = targetsOf(config, options, true);
  await readReferences(config, targets, world);
  const postponed = postponedIn(stateDir);
  const holders = lockHolders(config, world);
  const connections = targets.length > CONNECTIONS / 16 ? 1 : undefined;
  const hosts = await inLanes(targets, CONNECTIONS, async (target): Promise<HostStatus> => {
    const { host } = target;
    const pbs = await openPbs(target, world, connections);
    try {
      // Two servers: a PVE that does not answer says nothing about the PBS, nor the other way round.
      const [state, lock] = await Promise.allSettled([stateOf(pbs, world.clock), holders.ofHost(target)]);
      const failed = [state, lock].find((each) => each.status === 'rejected');
      return {
        host,
        ...(state.status === 'fulfilled' ? state.value : UNREACHABLE),
        lock: lock.status === 'fulfilled' ? lock.value : null,
        postponed: postponed(host),
        error: failed ? errorDocument(failed.reason) : null,
      };
    } finally {
      await pbs.close();
    }
  });
  await holders.close();
  context.answer({ hosts }, statusText(hosts, { color, columns: world.stdout.columns }));
  return worstExitCode<ExitCode>(EXIT.done, ...hosts.map(exitCodeOf));
};

/** A refused token or certificate is no reason to wait. */
function exitCodeOf({ error }: HostStatus): ExitCode {
  if (error === null) return EXIT.done;
  return REFUSED.has(error.code) ? EXIT.failed : EXIT.tryLater;
}

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
): Promise<Omit<HostStatus, 'host' | 'lock' | 'postponed' | 'error'>> {
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
