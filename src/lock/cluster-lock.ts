import type { Pve } from '../api/pve.js';
import type { ClusterConfig } from '../config/schema.js';
import type { World } from '../world.js';
import { LockFault } from './lock-fault.js';
import { type Around, type ClusterLock, guestTagStore, type LockStore, registeredTagStore } from './store.js';
import type { Place, TagsAt } from './tag.js';

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
  const at = (place: Place) =>
    place === null ? registeredTagStore(pve, clock, requestTimeoutMs * 2) : guestTagStore(pve, place);
  const isRegistered = kind === 'registered-tag';
  const store = isRegistered ? at(null) : lockVmid === null ? noCarrier(name) : at(lockVmid);
  return { cluster: name, prefix, store, around: around(pve, at, isRegistered), clock, random };
}

/** One after the other, that of the carrier first: what the second answer lists is newer than what the first one shows. */
function around(pve: Pve, at: Around['at'], isRegistered: boolean): Around {
  const guests = async (): Promise<TagsAt[]> =>
    (await pve.guests()).map(({ vmid, tags }) => ({ place: vmid, tags }));
  const registered = async (): Promise<TagsAt[]> => [{ place: null, tags: await pve.registeredTags() }];
  const inOrder = isRegistered ? [registered, guests] : [guests, registered];
  return {
    at,
    look: async () => {
      const found: TagsAt[] = [];
      for (const ask of inOrder) found.push(...(await ask()));
      return found;
    },
  };
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
  return { kind: 'guest-tag', place: -1, read: refuse, swap: refuse, now: refuse };
}
