import type { Random } from '../random.js';

/** A time in which a host is away, in seconds since the reboot was requested. */
export interface Downtime {
  readonly downAt: number;
  readonly upAt: number;
  /** Attempts to connect are left unanswered; else they are refused. */
  readonly drops: boolean;
  /** The first request after it is up is never answered. */
  readonly swallows: boolean;
}

const CONNECT_TIMEOUT = 10;
const MOST_SLEEP = 12;
/** SSH and the command that asks for the boot id. */
const ROUND = 0.3;

/**
 * When the waiting of `ansible.builtin.reboot` knows that the host is back, in seconds after it was: it
 * asks for the boot id; after the n-th failure it sleeps 2^n s, at most 12 s, and up to 1 s more by chance.
 * An attempt ends after the default time limit of its SSH connection, 10 s; one that is under way when the
 * host comes up succeeds with the kernel's next repetition, 1, 3 or 7 s after its beginning.
 * @see ansible-core 2.14, plugins/action/reboot.py: do_until_success_or_timeout
 */
export function ansibleKnowsAfter({ downAt, upAt, drops, swallows }: Downtime, random: Random): number {
  let at = 0;
  let swallowed = !swallows;
  for (let failures = 0; ; failures += 1) {
    if (at >= upAt && swallowed) return at + ROUND - upAt;
    if (at >= upAt) {
      swallowed = true;
      at += CONNECT_TIMEOUT;
    } else if (at >= downAt && drops) {
      const repeated = [1, 3, 7].map((pause) => at + pause).find((again) => again >= upAt);
      if (repeated !== undefined && swallowed) return repeated + ROUND - upAt;
      swallowed ||= repeated !== undefined;
      at += CONNECT_TIMEOUT;
    } else at += at >= downAt ? 0.05 : ROUND;
    const chance = random.between(0, 1000) / 1000;
    const pause = 2 ** failures + chance;
    at += pause > MOST_SLEEP ? MOST_SLEEP + chance : pause;
  }
}
