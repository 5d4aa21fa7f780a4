/** The lock as the tag tells it: `<prefix>+<owner>+<run>+<expires>`. */
export interface LockTag {
  readonly owner: string;
  readonly run: string;
  /** Epoch seconds by the clock of the PVE node. */
  readonly expiresAt: number;
}

/** Where tags stand: on a guest (its id), or registered for the cluster (null). */
export type Place = number | null;
export interface TagsAt {
  readonly place: Place;
  readonly tags: readonly string[];
}
/** A tag of the lock, and where it stands. */
export interface PlacedLock {
  readonly place: Place;
  readonly tag: string;
  readonly lock: LockTag | 'unreadable';
}

const WORD = /^[a-z0-9._-]+$/;

/** True for what may stand as owner or run in the tag. */
export function isLockWord(text: string): boolean {
  return WORD.test(text);
}

export function formatLockTag(prefix: string, { owner, run, expiresAt }: LockTag): string {
  return `${prefix}+${owner}+${run}+${Math.floor(expiresAt)}`;
}

/**
 * The lock that a tag describes; null for a tag that has nothing to do with the lock, `'unreadable'`
 * for one that begins with `<prefix>+` and cannot be read: who holds what is not known then.
 */
export function parseLockTag(prefix: string, tag: string): LockTag | 'unreadable' | null {
  const folded = tag.toLowerCase();
  if (!folded.startsWith(`${prefix}+`)) return null;
  const [owner = '', run = '', expires = '', ...rest] = folded.slice(prefix.length + 1).split('+');
  const readable = WORD.test(owner) && WORD.test(run) && /^\d{1,12}$/.test(expires) && rest.length === 0;
  return readable ? { owner, run, expiresAt: Number(expires) } : 'unreadable';
}

/** The tags without any lock; those of others keep their order and case. */
export function withoutLock(prefix: string, tags: readonly string[]): string[] {
  return tags.filter((tag) => parseLockTag(prefix, tag) === null);
}

export const locksAt = (prefix: string, places: readonly TagsAt[]): PlacedLock[] =>
  places.flatMap(({ place, tags }) =>
    tags.flatMap((tag) => {
      const lock = parseLockTag(prefix, tag);
      return lock === null ? [] : [{ place, tag, lock }];
    }),
  );

export const nameOfPlace = (place: Place): string =>
  place === null ? 'the registered tags' : `guest ${place}`;
