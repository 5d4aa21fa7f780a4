import { configLocked, contended, held, lost, unreadable, unseen } from './lock-fault.js';
import { releaseAt } from './release.js';
import { at, type ClusterLock, type StoredTags } from './store.js';
import { LOST_RACES, swapUntilSettled } from './swap.js';
import {
  formatLockTag,
  type LockTag,
  locksAt,
  type Place,
  type PlacedLock,
  type TagsAt,
  withoutLock,
} from './tag.js';

export interface Claim {
  readonly owner: string;
  readonly run: string;
  readonly ttlMs: number;
  readonly onExpired: 'postpone' | 'take-over';
  /** No other process can be at work on this run: a tag of it, wherever it stands, is taken over at once. */
  readonly sole: boolean;
}

/** A lock that this process holds. */
export interface Holding {
  /** At the place where its tag stands. */
  readonly lock: ClusterLock;
  readonly claim: Claim;
  /** To the letter, the tag that this process wrote last; two while the answer to a write is missing. */
  readonly tags: Set<string>;
  readonly expiresAt: number;
  /** Runs whose expired locks it has replaced. */
  readonly tookOver: readonly string[];
}

/** For how long a node may list less than was written. */
const LOOKS = 25;
const BETWEEN_LOOKS_MS = 200;

/**
 * Takes the lock: on its carrier, or where the tag of this very run stands already. A tag on another place means
 * that it is held. Two who write to different places look after having written, so at least one sees the other; who
 * sees another takes its tag back and tries again.
 * @throws Fault `lock.held` or `lock.expired` (another holds it), `lock.unreadable`, `lock.config-locked`,
 *   `lock.unseen` (all exit 75), `lock.contended` after too many lost races
 */
export async function acquire(carrier: ClusterLock, claim: Claim): Promise<Holding> {
  const tags = new Set<string>();
  for (let attempt = 0; attempt < LOST_RACES; attempt += 1) {
    const [places, now] = await Promise.all([carrier.around.look(), carrier.store.now()]);
    const lock = at(carrier, placeOf(carrier, places, claim.run));
    const [other] = othersThan(lock, locksAt(lock.prefix, places), { claim, tags, now });
    if (other?.lock === 'unreadable') throw unreadable(lock, other.tag, other.place);
    if (other) throw held(carrier, other.lock, { place: other.place, expired: other.lock.expiresAt <= now });
    const tookOver = new Set<string>();
    const { expiresAt } = await write(lock, { claim, tags, tookOver }, 'take');
    const alone = await isAlone(lock, { claim, tags, now });
    if (alone === true) return { lock, claim, tags, expiresAt, tookOver: [...tookOver] };
    const [mine = ''] = tags;
    await releaseAt(lock, (each) => tags.has(each.tag));
    if (alone === 'unseen') throw unseen(lock, mine);
    await lock.clock.sleep(50 + lock.random() * 200 * (attempt + 1));
  }
  throw contended(carrier, 'take');
}

/** Where the tag of this run stands; the carrier where it stands there too, or nowhere. */
function placeOf({ store, prefix }: ClusterLock, places: readonly TagsAt[], run: string): Place {
  const own = locksAt(prefix, places).filter(({ lock }) => lock !== 'unreadable' && lock.run === run);
  const [first] = own;
  return !first || own.some(({ place }) => place === store.place) ? store.place : first.place;
}

type Own = Pick<Holding, 'claim' | 'tags'> & { readonly now: number };

/** Lock tags at other places, but for copies of what this run has written. */
function othersThan(
  { store }: ClusterLock,
  locks: readonly PlacedLock[],
  { claim, tags, now }: Own,
): PlacedLock[] {
  const isOurs = ({ lock, tag }: PlacedLock) =>
    lock !== 'unreadable' && lock.run === claim.run && (claim.sole || tags.has(tag) || lock.expiresAt <= now);
  return locks.filter((each) => each.place !== store.place && !isOurs(each));
}

/** Looks until the own tag is listed. */
async function isAlone(lock: ClusterLock, own: Own): Promise<boolean | 'unseen'> {
  for (let looked = 0; looked < LOOKS; looked += 1) {
    if (looked > 0) await lock.clock.sleep(BETWEEN_LOOKS_MS);
    const locks = locksAt(lock.prefix, await lock.around.look());
    if (locks.some(({ place, tag }) => place === lock.store.place && own.tags.has(tag)))
      return othersThan(lock, locks, own).length === 0;
  }
  return 'unseen';
}

/** Prolongs a lock that this process holds. @throws Fault `lock.lost` when its tag is no longer there */
export async function renew({ lock, claim, tags }: Holding): Promise<LockTag> {
  return write(lock, { claim, tags, tookOver: new Set() }, 'renew');
}

/** Writes the tag anew, in place of the lock tags there. */
async function write(
  lock: ClusterLock,
  { claim, tags, tookOver }: Pick<Holding, 'claim' | 'tags'> & { readonly tookOver: Set<string> },
  verb: 'take' | 'renew',
): Promise<LockTag> {
  const { tag, value } = await swapUntilSettled(lock, verb, (seen, now) => {
    if (verb === 'renew') requireOwn(lock, seen, claim.run, tags);
    else for (const run of requireFree(lock, seen, { claim, tags, now })) tookOver.add(run);
    if (seen.configLock) throw configLocked(lock, seen.configLock);
    const mine = { owner: claim.owner, run: claim.run, expiresAt: now + Math.ceil(claim.ttlMs / 1000) };
    const text = formatLockTag(lock.prefix, mine);
    tags.add(text);
    return { next: [...withoutLock(lock.prefix, seen.tags), text], value: { tag: text, value: mine } };
  });
  for (const each of tags) if (each !== tag) tags.delete(each);
  return value;
}

/** Every lock tag there is ours, or may be replaced. @returns the other runs that are replaced */
function requireFree(lock: ClusterLock, seen: StoredTags, { claim, tags, now }: Own): string[] {
  const { place } = lock.store;
  const replaced: string[] = [];
  for (const { tag, lock: other } of locksAt(lock.prefix, [{ place, tags: seen.tags }])) {
    if (other === 'unreadable') throw unreadable(lock, tag, place);
    const expired = other.expiresAt <= now;
    const isOwn = tags.has(tag) || (other.run === claim.run && (claim.sole || expired));
    if (isOwn) continue;
    if (!expired || claim.onExpired !== 'take-over') throw held(lock, other, { place, expired });
    replaced.push(other.run);
  }
  return replaced;
}

/** Reads back that the tag is the one that this process wrote last. @throws Fault `lock.lost` */
export async function confirm({ lock, claim, tags }: Holding): Promise<void> {
  requireOwn(lock, await lock.store.read(), claim.run, tags);
}

/** Removes the tag that this process wrote, and only that. @returns false when it was not there */
export const releaseHeld = ({ lock, tags }: Holding): Promise<boolean> =>
  releaseAt(lock, ({ tag }) => tags.has(tag));

function requireOwn(lock: ClusterLock, seen: StoredTags, run: string, tags: ReadonlySet<string>): void {
  const found = locksAt(lock.prefix, [{ place: lock.store.place, tags: seen.tags }]);
  const strange = found.flatMap(({ tag, lock: other }) =>
    other === 'unreadable' || tags.has(tag) ? [] : [other],
  );
  if (strange.length > 0 || !found.some(({ tag }) => tags.has(tag))) throw lost(lock, run, strange[0]);
}
