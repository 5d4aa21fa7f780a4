import { Fault } from '../fault.js';
import type { ClusterAccess } from '../host/answers.js';
import type { Clock } from '../world.js';
import type { ClusterLock } from './lock.js';
import { guestTagStore, registeredTagStore } from './store.js';

/**
 * The lock of a cluster as its config says.
 * @param settleMs how long a write to the registered tags may take to have lost or won, see {@link registeredTagStore}
 * @throws Fault `lock.no-carrier` when no guest is named to carry the tag
 */
export function lockOf(cluster: ClusterAccess, clock: Clock, settleMs: number): ClusterLock {
  const { store, tag } = cluster.config.lock;
  const base = { cluster: cluster.name, prefix: tag, clock };
  if (store === 'registered-tag') return { ...base, store: registeredTagStore(cluster.pve, clock, settleMs) };
  if (cluster.lockVmid === null) {
    throw new Fault(
      'lock.no-carrier',
      `Cluster "${cluster.name}" has no guest that could carry the lock tag.`,
      {
        hint: `Set clusters.${cluster.name}.lock.vmid, or let a host's guest be in that cluster.`,
      },
    );
  }
  return { ...base, store: guestTagStore(cluster.pve, cluster.lockVmid) };
}
