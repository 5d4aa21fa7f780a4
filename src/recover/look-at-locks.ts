import { errorDocument } from '../fault.js';
import type { Host } from '../host/open.js';
import { look } from '../lock/look.js';
import { isoFromSeconds } from '../moment.js';
import type { ObservedHost, ObservedLock } from './observed.js';

/** The lock of each cluster of a host; one that cannot be read is a result too. */
export async function observeLocks({
  clusters,
  target,
}: Host): Promise<Pick<ObservedHost, 'locks' | 'foreignLocks' | 'unknownLocks'>> {
  const unknownLocks: Array<ObservedHost['unknownLocks'][number]> = [];
  const locks: ObservedLock[] = [];
  const foreignLocks: Array<ObservedHost['foreignLocks'][number]> = [];
  await Promise.all(
    clusters.map(async ({ name: cluster, lock }) => {
      const standing = await look(lock).catch((error: unknown) => {
        unknownLocks.push({ cluster, error: errorDocument(error) });
        return null;
      });
      if (!standing?.counts) return;
      const { lock: found, expired } = standing.counts;
      if (found === 'unreadable') return foreignLocks.push({ cluster, owner: null, until: null });
      const { owner, run, expiresAt } = found;
      const until = isoFromSeconds(expiresAt);
      if (owner === target.host) return locks.push({ cluster, owner, run, until, expired });
      return foreignLocks.push({ cluster, owner, until });
    }),
  );
  return { locks, foreignLocks, unknownLocks };
}
