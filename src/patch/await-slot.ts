import { askRound } from '../checks/ask-round.js';
import { retryAfter } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import { openHost } from '../host/open.js';
import { localMoment } from '../moment.js';
import type { Reporter } from '../report/events.js';
import { Interrupted, type World } from '../world.js';

/** Looks again this many polls after a block whose end is not known. */
const POLLS_BETWEEN = 15;

/**
 * `patch --wait`: looks until nothing blocks any more, the time is over, or no time will ever do, and changes nothing. The run that
 * follows checks again: the lock is not taken while waiting.
 * @throws Fault `run.interrupted` (exit 130)
 */
export async function awaitSlot(
  config: Config,
  target: Target,
  { waitMs, ignoredWindow, plan }: { waitMs: number; ignoredWindow: string | null; plan: string | null },
  world: World,
  reporter: Reporter,
): Promise<void> {
  const { clock } = world;
  const { host: name, policy } = target;
  const host = await openHost(config, target, world);
  const deadline = clock.monotonic() + waitMs;
  const unheed = world.heedSignals();
  try {
    for (;;) {
      const findings = await askRound('preflight', host.answers(null), { ignoredWindow, plan });
      const blocks = findings.filter(({ status }) => status === 'block');
      const left = deadline - clock.monotonic();
      const never = blocks.some(({ detail }) => detail.never !== undefined);
      if (blocks.length === 0 || left <= 0 || never) return;
      const again = retryAfter(findings);
      const until = again === null ? policy.pollInterval * POLLS_BETWEEN : Date.parse(again) - clock.now();
      const pause = Math.max(policy.pollInterval, Math.min(until, left));
      const when = again === null ? 'no end is known' : `expected to be safe from ${localMoment(again)}`;
      reporter.emit({
        host: name,
        event: 'note',
        level: 'info',
        text: `waiting, ${formatDuration(left)} left: ${blocks.map(({ id, summary }) => `${id}: ${summary}`).join('; ')} (${when})`,
      });
      await clock.sleep(pause, world.stop);
    }
  } catch (error) {
    if (!(error instanceof Interrupted)) throw error;
    const text = `Interrupted by ${error.signal} while waiting; nothing was changed.`;
    throw new Fault('run.interrupted', text, { exitCode: EXIT.interrupted });
  } finally {
    unheed();
    await host.close();
  }
}
