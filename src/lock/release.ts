import { configLocked, foreign } from './lock-fault.js';
import { at, type ClusterLock } from './store.js';
import { swapUntilSettled } from './swap.js';
import { locksAt, type Place, type PlacedLock, withoutLock } from './tag.js';

interface Mine {
  readonly owner?: string | undefined;
  readonly run?: string | undefined;
}
const isOf =
  ({ owner, run }: Mine) =>
  ({ lock }: Pick<PlacedLock, 'lock'>): boolean =>
    lock !== 'unreadable' &&
    (owner === undefined || lock.owner === owner) &&
    (run === undefined || lock.run === run);

/**
 * Removes the tags of `mine`, wherever they stand, and only those.
 * @returns false when there was none
 * @throws Fault `lock.foreign` when another holds the lock
 */
export async function release(lock: ClusterLock, mine: Mine): Promise<boolean> {
  const found = locksAt(lock.prefix, await lock.around.look());
  const places = new Set([lock.store.place, ...found.filter(isOf(mine)).map(({ place }) => place)]);
  let released = false;
  for (const place of places) released = (await releaseAt(at(lock, place), isOf(mine))) || released;
  const other = found.find((each) => each.lock !== 'unreadable' && !isOf(mine)(each))?.lock;
  if (!released && other && other !== 'unreadable') throw foreign(lock, other);
  return released;
}

/** True where a tag of the run stands anywhere. */
export async function isHeldBy(lock: ClusterLock, run: string): Promise<boolean> {
  return locksAt(lock.prefix, await lock.around.look()).some(isOf({ run }));
}

/** Removes lock tags from the carrier, and only those that are meant. */
export function releaseAt(lock: ClusterLock, isOwn: (lock: PlacedLock) => boolean): Promise<boolean> {
  return swapUntilSettled(lock, 'release', (seen) => {
    const own = locksAt(lock.prefix, [{ place: lock.store.place, tags: seen.tags }]).filter(isOwn);
    if (own.length === 0) return { value: false };
    if (seen.configLock) throw configLocked(lock, seen.configLock);
    return { next: seen.tags.filter((tag) => !own.some((each) => each.tag === tag)), value: true };
  });
}

/** Removes whatever lock is anywhere, readable or not. @returns what was removed, and what could not be, and why */
export async function breakLock(lock: ClusterLock): Promise<{
  readonly removed: ReadonlyArray<Pick<PlacedLock, 'place' | 'tag'>>;
  readonly kept: ReadonlyArray<Pick<PlacedLock, 'place' | 'tag'> & { readonly error: unknown }>;
}> {
  const found = locksAt(lock.prefix, await lock.around.look());
  const removed: Array<{ place: Place; tag: string }> = [];
  const kept: Array<{ place: Place; tag: string; error: unknown }> = [];
  for (const place of new Set([lock.store.place, ...found.map((each) => each.place)])) {
    try {
      for (const tag of await breakAt(at(lock, place))) removed.push({ place, tag });
    } catch (error) {
      const there = found.filter((each) => each.place === place);
      if (there.length === 0) throw error;
      for (const { tag } of there) kept.push({ place, tag, error });
    }
  }
  return { removed, kept };
}

function breakAt(lock: ClusterLock): Promise<string[]> {
  return swapUntilSettled(lock, 'break', (seen) => {
    const rest = withoutLock(lock.prefix, seen.tags);
    const removed = seen.tags.filter((tag) => !rest.includes(tag));
    return removed.length === 0 ? { value: removed } : { next: rest, value: removed };
  });
}
