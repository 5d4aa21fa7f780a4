import type { Target } from '../config/target.js';
import { EXIT, errorDocument } from '../fault.js';
import { lockOf } from '../lock/cluster-lock.js';
import { look } from '../lock/lock.js';
import { postponementsOf, runsOf } from '../patch/journal.js';
import type { HostStatus } from '../report/document.js';
import { statusText } from '../report/text.js';
import { openSite, type Site } from '../site.js';
import { hostState } from '../verify/baseline.js';
import { type Command, type HostOptions, load, targetsOf } from './context.js';

export const status: Command<HostOptions> = async (context, options) => {
  const { world, color } = context;
  const { config, stateDir } = await load(context);
  const hosts = await Promise.all(
    targetsOf(config, options, true).map(async (target): Promise<HostStatus> => {
      const postponed = postponedOf(stateDir, target.host);
      const site = await openSite(config, target, world);
      try {
        return { ...(await statusOf(site, target)), postponed };
      } catch (error) {
        return { ...UNREACHABLE, host: target.host, postponed, error: errorDocument(error) };
      } finally {
        await site.close();
      }
    }),
  );
  context.answer({ hosts }, statusText(hosts, { color, columns: world.stdout.columns }));
  return hosts.every(({ reachable }) => reachable) ? EXIT.done : EXIT.tryLater;
};

const UNREACHABLE = {
  reachable: false,
  version: null,
  kernel: null,
  uptimeSeconds: null,
  updates: null,
  datastores: [],
  tasks: [],
  lock: null,
};

/** Why is it not patched? Told by the journal, so also while the host cannot be reached. */
function postponedOf(stateDir: string, host: string): HostStatus['postponed'] {
  try {
    const runs = runsOf(stateDir, host);
    const last = runs.findLast(({ mode, ended }) => mode === 'patch' && ended);
    const { count, since } = postponementsOf(runs);
    const blocks = (last?.findings ?? []).filter(({ status }) => status === 'block');
    return { count, since, checks: count === 0 ? [] : blocks.map(({ id }) => id) };
  } catch {
    return null; // another user's, perhaps: no reason to hide the rest
  }
}

async function statusOf(site: Site, target: Target): Promise<Omit<HostStatus, 'postponed'>> {
  const facts = site.facts(null);
  const [state, { uptimeSeconds }, updates, tasks, lock] = await Promise.all([
    hostState(facts),
    facts.pbs.nodeStatus(),
    facts.pbs.updates(),
    facts.pbs.runningTasks(),
    holders(site),
  ]);
  return {
    host: target.host,
    reachable: true,
    version: state.version,
    kernel: state.kernel,
    uptimeSeconds,
    updates: updates.length,
    datastores: state.datastores,
    tasks: tasks.map(({ upid, type, id }) => ({ upid, type, id })),
    lock,
    error: null,
  };
}

async function holders(site: Site): Promise<HostStatus['lock']> {
  for (const cluster of site.clusters) {
    const current = await look(lockOf(cluster, site.facts(null).clock, 0));
    if (current.kind === 'unreadable')
      return { cluster: cluster.name, owner: null, run: null, expiresAt: null };
    if (current.kind === 'held') {
      const { owner, run, expiresAt } = current.lock;
      return { cluster: cluster.name, owner, run, expiresAt: new Date(expiresAt * 1000).toISOString() };
    }
  }
  return null;
}
