import { Fault, Outdated } from '../fault.js';
import { contended } from './lock-fault.js';
import type { ClusterLock, StoredTags } from './store.js';

/** As often others may be faster. */
export const LOST_RACES = 12;

/** Decide on what is seen, swap, read back; once more where another was faster or the outcome is unknown. */
export async function swapUntilSettled<Value>(
  lock: ClusterLock,
  verb: 'take' | 'renew' | 'release' | 'break',
  decide: (seen: StoredTags, now: number) => { next?: readonly string[]; value: Value },
): Promise<Value> {
  const timed = verb === 'take' || verb === 'renew';
  for (let attempt = 0; attempt < LOST_RACES; attempt += 1) {
    // A clock that was read a moment before the tags errs on the safe side.
    const [seen, now] = await Promise.all([lock.store.read(), timed ? lock.store.now() : 0]);
    const { next, value } = decide(seen, now);
    if (!next) return value;
    try {
      await lock.store.swap(seen, next);
    } catch (error) {
      // Whether an unanswered write arrived shows when the tags are read again; the decision is made anew on them.
      const again = error instanceof Outdated || (error instanceof Fault && error.kind === 'unknown');
      if (!again) throw error;
      await lock.clock.sleep(20 + lock.random() * 80 * (attempt + 1));
      continue;
    }
    const after = (await lock.store.read()).tags.map((tag) => tag.toLowerCase());
    const added = next.filter((tag) => !seen.tags.includes(tag));
    if (added.every((tag) => after.includes(tag.toLowerCase()))) return value;
  }
  throw contended(lock, verb);
}
