import { errorDocument } from '../fault.js';
import { type Lease, notReleased, takeLease } from '../lock/lease.js';
import { poll } from '../poll.js';
import { isLater } from '../rules/outcome.js';
import { note, type Run, step, warning } from './run.js';

/** Takes the lock of every cluster that the host serves, all or none. @throws Fault `lock.*` */
export async function lock(run: Run): Promise<string> {
  if (run.lease) return 'held already';
  run.lease = await waiting(run, () => take(run));
  return `held in ${run.lease.clusters.join(', ')}`;
}

/** With `--wait` also for a lock that another has taken since the checks, or that cannot be written for a moment. */
async function waiting(run: Run, act: () => Promise<Lease>): Promise<Lease> {
  const { clock, interruption, waitsUntil = 0 } = run;
  const everyMs = run.host.target.policy.pollInterval;
  let last: unknown;
  const limitMs = Math.max(0, waitsUntil - clock.monotonic());
  const taken = await poll(clock, { everyMs, limitMs, signal: interruption.signal }, async () => {
    try {
      return await act();
    } catch (error) {
      if (!isLater(error)) throw error;
      last = error;
      if (clock.monotonic() < waitsUntil) step(run, 'lock', null, `waiting: ${errorDocument(error).message}`);
      return null;
    }
  });
  if (taken) return taken;
  throw last;
}

async function take(run: Run): Promise<Lease> {
  const { host, clock, journal } = run;
  const { policy, host: owner } = host.target;
  return takeLease(
    host.clusters.map((cluster) => ({
      lock: cluster.lock,
      claim: {
        owner,
        run: journal.runId,
        ttlMs: cluster.config.lock.ttl,
        onExpired: policy.onExpiredLock,
        sole: run.sole,
      },
    })),
    {
      clock,
      onAcquired: (cluster, expiresAt, tookOver) =>
        journal.append({
          ...{ type: 'locked', cluster, expiresAt },
          ...(tookOver.length > 0 ? { tookOver: [...tookOver] } : {}),
        }),
      onRenewalFailed: (cluster, error) =>
        note(run, `the lock of cluster "${cluster}" could not be renewed: ${errorDocument(error).message}`),
    },
  );
}

/** Releases what the run holds; what could not be released is a warning. */
export async function unlock(run: Run): Promise<string> {
  const failed = (await run.lease?.release()) ?? [];
  for (const cluster of run.lease?.clusters ?? []) {
    if (!failed.some((each) => each.cluster === cluster)) run.journal.append({ type: 'unlocked', cluster });
  }
  for (const { cluster, error } of failed) {
    const { host: owner } = run.host.target;
    const text = notReleased(cluster, { owner, run: run.journal.runId }, error);
    warning(run, `${text}\nThe next patch of ${owner} releases it, too.`);
  }
  return failed.length === 0 ? 'released' : 'not everywhere released';
}
