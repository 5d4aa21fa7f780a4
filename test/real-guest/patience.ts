import { setTimeout as sleep } from 'node:timers/promises';

/** Limits are for a guest that is emulated on a machine which others keep busy: generous. Milliseconds. */
const LIMIT = 240_000;

/** Until the condition holds. @throws Error that names what was waited for in vain */
export async function until(
  what: string,
  holds: () => boolean | Promise<boolean>,
  limitMs = LIMIT,
): Promise<void> {
  const deadline = performance.now() + limitMs;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`waited in vain for: ${what}`);
    await sleep(100);
  }
}
