import { noNode } from '../api/absent.js';
import type { Pve } from '../api/pve.js';
import { Outdated } from '../fault.js';
import type { Clock } from '../world.js';
import type { Place, TagsAt } from './tag.js';

export interface ClusterLock {
  readonly cluster: string;
  readonly prefix: string;
  /** The lock carrier. */
  readonly store: LockStore;
  readonly around: Around;
  readonly clock: Clock;
  /** From 0 to below 1: those that raced for a lock pause for different times. */
  random(): number;
}

/** Every place of a cluster at which a lock tag may stand. */
export interface Around {
  /** All of them. What is listed with the tag that one has written holds all that was written before it. */
  look(): Promise<readonly TagsAt[]>;
  at(place: Place): LockStore;
}

/** One place at which a lock tag is kept. */
export interface LockStore {
  readonly kind: 'guest-tag' | 'registered-tag';
  readonly place: Place;
  read(): Promise<StoredTags>;
  /**
   * Replaces the tags if they are still those of `seen`.
   * @throws Outdated when they are not; a Fault of kind `unknown` when the answer was lost
   */
  swap(seen: StoredTags, next: readonly string[]): Promise<void>;
  /** The clock that expiry is judged by, epoch seconds. */
  now(): Promise<number>;
}

export interface StoredTags {
  readonly tags: readonly string[];
  readonly digest: string;
  /** A config lock of the guest (backup, migrate …): while it stands no tag can be written. */
  readonly configLock: string | null;
}

/** The same lock with another place as its carrier. */
export const at = (lock: ClusterLock, place: Place): ClusterLock =>
  place === lock.store.place ? lock : { ...lock, store: lock.around.at(place) };

/** Tags of one guest: the config digest makes a true compare-and-swap. */
export function guestTagStore(pve: Pve, vmid: number): LockStore {
  return {
    kind: 'guest-tag',
    place: vmid,
    async read() {
      const { tags, digest, lock } = await pve.guestConfig(vmid);
      return { tags, digest, configLock: lock };
    },
    swap: (seen, next) => pve.setGuestTags(vmid, [...next], seen.digest),
    now: async () => (await pve.guestNodeTime(vmid)).epochSeconds,
  };
}

/**
 * The datacenter's registered tags. PVE has no compare-and-swap there, so the writer waits until every
 * write that could have overlapped has ended and then looks whether its own is what stayed: weaker
 * than {@link guestTagStore}, since it rests on requests ending within their time limit.
 */
export function registeredTagStore(pve: Pve, clock: Clock, settleMs: number): LockStore {
  const read = async () => {
    const tags = await pve.registeredTags();
    return { tags, digest: tags.join(';'), configLock: null };
  };
  return {
    kind: 'registered-tag',
    place: null,
    read,
    async swap(seen, next) {
      if ((await read()).digest !== seen.digest) throw modified(pve.cluster);
      await pve.setRegisteredTags([...next]);
      await clock.sleep(settleMs);
      const now = new Set((await read()).tags);
      const mine = next.filter((tag) => !seen.tags.includes(tag));
      if (mine.some((tag) => !now.has(tag))) throw modified(pve.cluster);
    },
    async now() {
      const [node] = (await pve.clusterStatus()).online;
      if (node === undefined) throw noNode(pve.cluster);
      return (await pve.nodeTime(node)).epochSeconds;
    },
  };
}

const modified = (cluster: string) =>
  new Outdated('pve.modified', `The registered tags of cluster "${cluster}" were changed by another user.`);
