import type { Pve } from '../api/pve.js';
import type { ClusterConfig } from '../config/schema.js';
import type { World } from '../world.js';
import { type ClusterLock, LockFault } from './lock.js';
import { guestTagStore, type LockStore, registeredTagStore } from './store.js';

/** A cluster that a run has to do with. */
export interface ClusterAccess {
  readonly name: string;
  readonly config: ClusterConfig;
  /** The guest that carries the lock tag; null where there is none. */
  readonly lockVmid: number | null;
  readonly pve: Pve;
  readonly lock: ClusterLock;
}

/**
 * The lock of a cluster as its config says. Where no guest is named to carry the tag, each use of it
 * throws Fault `lock.no-carrier`.
 * @param requestTimeoutMs by which a write to the registered tags has lost or won, see {@link registeredTagStore}
 */
export function clusterLock(
  { name, config, lockVmid, pve }: Omit<ClusterAccess, 'lock'>,
  { clock, random }: Pick<World, 'clock' | 'random'>,
  requestTimeoutMs: number,
): ClusterLock {
  const { store: kind, tag: prefix } = config.lock;
  const store =
    kind === 'registered-tag'
      ? registeredTagStore(pve, clock, requestTimeoutMs * 2)
      : lockVmid === null
        ? noCarrier(name)
        : guestTagStore(pve, lockVmid);
  return { cluster: name, prefix, store, clock, random };
}

function noCarrier(cluster: string): LockStore {
  const refuse = async (): Promise<never> => {
    throw new LockFault(
      'lock.no-carrier',
      `Cluster "${cluster}" has no guest that could carry the lock tag.`,
      {
        hint: `Set clusters.${cluster}.lock.vmid, or let a host's guest be in that cluster.`,
      },
    );
  };
  return { kind: 'guest-tag', read: refuse, swap: refuse, now: refuse };
}
