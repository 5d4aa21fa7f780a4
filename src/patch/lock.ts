import { errorDocument } from '../fault.js';
import { notReleased, takeLease } from '../lock/lease.js';
import { note, type Run, warning } from './run.js';

/** Takes the lock of every cluster that the host serves, all or none. @throws Fault `lock.*` */
export async function lock(run: Run): Promise<string> {
  const { host, clock, journal } = run;
  const { policy, host: owner } = host.target;
  run.lease = await takeLease(
    host.clusters.map((cluster) => ({
      lock: cluster.lock,
      claim: {
        owner,
        run: journal.runId,
        ttlMs: cluster.config.lock.ttl,
        onExpired: policy.onExpiredLock,
      },
    })),
    {
      clock,
      onAcquired: (cluster, expiresAt) => journal.append({ type: 'locked', cluster, expiresAt }),
      onRenewalFailed: (cluster, error) =>
        note(run, `the lock of cluster "${cluster}" could not be renewed: ${errorDocument(error).message}`),
    },
  );
  return `held in ${run.lease.clusters.join(', ')}`;
}

/** Gives back what the run holds; what could not be given back is a warning. */
export async function unlock(run: Run): Promise<string> {
  const failed = (await run.lease?.release()) ?? [];
  for (const cluster of run.lease?.clusters ?? []) {
    if (!failed.some((each) => each.cluster === cluster)) run.journal.append({ type: 'unlocked', cluster });
  }
  for (const { cluster, error } of failed) {
    warning(run, notReleased(cluster, { owner: run.host.target.host, run: run.journal.runId }, error));
  }
  return failed.length === 0 ? 'released' : 'not everywhere released';
}
