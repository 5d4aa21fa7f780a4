import type { Pbs } from '../api/pbs.js';
import { Fault } from '../fault.js';
import type { BootSight } from '../rules/boot.js';
import type { Clock } from '../world.js';

/** What the API of a host that reboots tells, as last seen. */
export interface ApiSight {
  api: BootSight['api'];
  /** The privileged daemon behind the proxy answers. */
  daemon: boolean;
  /** A connection was refused, cut or swallowed since the request. */
  lost: boolean;
}

/** How a part of the host is watched: a look every `pollMs`, each told by `onSight`, until the signal. */
export interface Watching {
  readonly clock: Clock;
  readonly pollMs: number;
  readonly signal: AbortSignal;
  onSight(): void;
}

/** A knock is one TCP connection without a byte in it: cheap enough to be frequent. Milliseconds. */
const KNOCK_EVERY = 250;
/** How long a knock may take: four times that of the last one that was answered, within these. */
const KNOCK_LIMITS = { shortest: 200, longest: 1000 };
/** A host that has just come up may swallow a request: the first gets this long, each further twice as long. */
const FIRST_LIMIT = 750;
/** A closed port is left to the knocks; it is asked this much more seldom, lest a network too slow for them hide the host. */
const CLOSED_FACTOR = 5;
/** Between probes of a host that takes connections and does not answer yet; doubles up to the poll interval. */
const FIRST_PAUSE = 250;

/**
 * Watches until the signal. Knocks at the port all the time; asks every `pollMs` while it is open, and at once when it
 * opens, whatever question still hangs from before. Never two knocks nor two questions at once.
 * @param longestMs how long an answer may take at most
 * @throws Fault `api.unauthorized`, `api.forbidden`, `net.untrusted`: waiting does not mend these
 */
export async function watchApi(
  pbs: Pick<Pbs, 'knock' | 'probe' | 'daemonAnswers'>,
  { clock, pollMs, signal, onSight, longestMs }: Watching & { readonly longestMs: number },
  seen: ApiSight,
): Promise<void> {
  // Aborted when the port opens: ends the pause or the question that goes on then.
  let opened = new AbortController();
  let open = true;
  const over = new AbortController();
  let limit = KNOCK_LIMITS.longest;
  const knock = async () => {
    const ended = AbortSignal.any([signal, over.signal]);
    while (!ended.aborted) {
      const begun = clock.monotonic();
      const answers = await pbs.knock(limit);
      const took = clock.monotonic() - begun;
      if (answers) limit = Math.min(Math.max(4 * took, KNOCK_LIMITS.shortest), KNOCK_LIMITS.longest);
      if (answers && !open) opened.abort();
      open = answers;
      const pause = KNOCK_EVERY - took;
      if (pause > 0) await clock.sleep(pause, ended).catch(() => {});
    }
  };
  const knocking = knock();
  let failures = 0;
  try {
    while (!signal.aborted) {
      const begun = clock.monotonic();
      const current = AbortSignal.any([signal, opened.signal]);
      const limitMs = Math.min(FIRST_LIMIT * 2 ** failures, longestMs);
      const settled = await ask(pbs, limitMs, current, seen);
      onSight();
      if (opened.signal.aborted) {
        opened = new AbortController();
        failures = 0;
        if (!settled) continue;
      }
      failures = settled ? 0 : failures + 1;
      const spent = clock.monotonic() - begun;
      const every = settled
        ? pollMs
        : open
          ? Math.min(FIRST_PAUSE * 2 ** failures, pollMs)
          : CLOSED_FACTOR * pollMs;
      const pause = AbortSignal.any([signal, opened.signal]);
      await clock.sleep(Math.max(0, every - spent), pause).catch(() => {});
      if (opened.signal.aborted) {
        opened = new AbortController();
        failures = 0;
      }
    }
  } finally {
    over.abort();
    await knocking;
  }
}

/** @returns true when both the proxy and the daemon have answered */
async function ask(
  pbs: Pick<Pbs, 'probe' | 'daemonAnswers'>,
  limitMs: number,
  signal: AbortSignal,
  seen: ApiSight,
): Promise<boolean> {
  const [host, daemon] = await Promise.allSettled([
    pbs.probe(limitMs, signal),
    pbs.daemonAnswers(limitMs, signal),
  ]);
  if (host.status === 'fulfilled') {
    const { uptimeSeconds, epochSeconds } = host.value;
    seen.api = { uptimeSeconds, epochSeconds };
    seen.daemon = daemon.status === 'fulfilled';
    return seen.daemon;
  }
  const error: unknown = host.reason;
  // A refused token or certificate does not mend itself by waiting.
  if (error instanceof Fault && ['api.unauthorized', 'api.forbidden', 'net.untrusted'].includes(error.code))
    throw error;
  seen.api = null;
  seen.daemon = false;
  seen.lost ||= !signal.aborted;
  return false;
}
