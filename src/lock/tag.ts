/** The lock as the tag tells it: `<prefix>+<owner>+<run>+<expires>`. */
export interface LockTag {
  readonly owner: string;
  readonly run: string;
  /** Epoch seconds by the clock of the PVE node. */
  readonly expiresAt: number;
}

/** What the tags of a store say about the lock. */
export type Standing =
  | { readonly kind: 'free' }
  | { readonly kind: 'held'; readonly lock: LockTag; readonly tag: string; readonly expired: boolean }
  | { readonly kind: 'unreadable'; readonly tag: string };

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
 * for one that begins like it and cannot be read: who holds what is not known then.
 */
export function parseLockTag(prefix: string, tag: string): LockTag | 'unreadable' | null {
  const folded = tag.toLowerCase();
  if (!folded.startsWith(prefix)) return null;
  const [head, owner = '', run = '', expires = '', ...rest] = folded.split('+');
  const readable =
    head === prefix && WORD.test(owner) && WORD.test(run) && /^\d{1,12}$/.test(expires) && rest.length === 0;
  return readable ? { owner, run, expiresAt: Number(expires) } : 'unreadable';
}

/**
 * Reads the lock out of all tags of a store. Of several lock tags (a restored backup can bring one
 * back) the one that lasts longest counts.
 */
export function standing(prefix: string, tags: readonly string[], nowSeconds: number): Standing {
  let found: { lock: LockTag; tag: string } | null = null;
  for (const tag of tags) {
    const lock = parseLockTag(prefix, tag);
    if (lock === null) continue;
    if (lock === 'unreadable') return { kind: 'unreadable', tag };
    if (!found || lock.expiresAt > found.lock.expiresAt) found = { lock, tag };
  }
  return found ? { kind: 'held', ...found, expired: found.lock.expiresAt <= nowSeconds } : { kind: 'free' };
}

/** The tags without any lock; those of others keep their order and case. */
export function withoutLock(prefix: string, tags: readonly string[]): string[] {
  return tags.filter((tag) => parseLockTag(prefix, tag) === null);
}
