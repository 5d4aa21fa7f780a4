import { isoFromSeconds } from '../moment.js';
import { holderOf } from './lock-fault.js';
import type { ClusterLock } from './store.js';
import { locksAt, nameOfPlace, type Place, type PlacedLock, type TagsAt } from './tag.js';

/** The lock tag that counts, and the others; judged by the node's clock. */
export interface Seen {
  readonly kind: 'free' | 'held' | 'unreadable';
  readonly counts: (PlacedLock & { readonly expired: boolean }) | null;
  readonly others: ReadonlyArray<PlacedLock & { readonly expired: boolean }>;
}

type Found = Seen['others'][number];

/** What a lock tag is that stands beside the one that counts, or not on the carrier. Pure. */
export function describeElsewhere({ place, tag, lock, expired }: Found, counts: Found | null): string {
  const where = nameOfPlace(place);
  if (lock === 'unreadable') return `${where} carries the tag "${tag}", which cannot be read`;
  if (counts && counts.lock !== 'unreadable' && counts.lock.run === lock.run && counts.place !== place)
    return `${where} carries a copy of that tag, as a guest does that was cloned or restored`;
  const until = isoFromSeconds(lock.expiresAt);
  return expired
    ? `${where} carries a lock tag of ${holderOf(lock)} that expired at ${until}: it was cloned or restored, or another config names it as the lock carrier`
    : `${where} carries a lock tag of ${holderOf(lock)} that lasts until ${until}`;
}

/** What stands in the cluster now. */
export async function look(lock: ClusterLock): Promise<Seen> {
  const [places, now] = await Promise.all([lock.around.look(), lock.store.now()]);
  return seenAt(lock.prefix, places, lock.store.place, now);
}

/** Unreadable ones count first, then the carrier's, then what lasts longest. Pure. */
export function seenAt(prefix: string, places: readonly TagsAt[], carrier: Place, now: number): Seen {
  const rank = ({ lock, place }: PlacedLock) =>
    lock === 'unreadable' ? Number.POSITIVE_INFINITY : lock.expiresAt + (place === carrier ? 1e12 : 0);
  const [counts = null, ...others] = locksAt(prefix, places)
    .sort((a, b) => rank(b) - rank(a))
    .map((each) => ({ ...each, expired: each.lock !== 'unreadable' && each.lock.expiresAt <= now }));
  const kind = counts === null ? 'free' : counts.lock === 'unreadable' ? 'unreadable' : 'held';
  return { kind, counts, others };
}
