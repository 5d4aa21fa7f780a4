import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { errorDocument } from '../fault.js';
import { openHost } from '../host/open.js';
import { addToEnded, runsOf } from '../journal/runs.js';
import { releaseOwn } from '../lock/lease.js';
import type { Reporter } from '../report/events.js';
import type { World } from '../world.js';

/**
 * Releases the locks of runs of this host that have ended by this journal, and only could not release them: such
 * a tag stays, also once it has expired, and would hold up every later run.
 */
export async function releaseEarlierLocks(
  config: Config,
  stateDir: string,
  target: Target,
  world: World,
  reporter: Reporter,
): Promise<void> {
  const left = runsOf(stateDir, target.host).filter(
    ({ ended, locks, mode }) => mode === 'patch' && ended && !ended.open && locks.length > 0,
  );
  if (left.length === 0) return;
  const host = await openHost(config, target, world);
  const say = (text: string) => reporter.emit({ host: target.host, event: 'note', level: 'info', text });
  try {
    for (const { runId, locks } of left) {
      for (const { name, lock } of host.clusters.filter((cluster) => locks.includes(cluster.name))) {
        try {
          await releaseOwn(lock, { run: runId }, world.clock);
          addToEnded(stateDir, runId, [{ type: 'unlocked', cluster: name }], world.clock);
          say(`the lock of cluster "${name}" that run ${runId} had left is released`);
        } catch (error) {
          say(`the lock of cluster "${name}" that run ${runId} left: ${errorDocument(error).message}`);
        }
      }
    }
  } finally {
    await host.close();
  }
}
