import { CHECKS } from '../checks/catalogue.js';
import { runChecks } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import { poll } from '../poll.js';
import { isDrained } from '../rules/softened.js';
import { type Run, requireLock, step } from './run.js';

/**
 * Waits until no task and no active operation uses a datastore; the fence keeps new ones away.
 * @throws Fault `drain.timeout` (exit 75) after `drainTimeout`, naming what still runs
 */
export async function drain(run: Run): Promise<string> {
  const { clock, interruption } = run;
  const { pollInterval: everyMs, drainTimeout: limitMs } = run.host.target.policy;
  const begun = clock.monotonic();
  let inUse = '';
  const free = await poll(clock, { everyMs, limitMs, signal: interruption.signal }, async () => {
    await requireLock(run);
    const findings = await runChecks(
      CHECKS.filter(({ id }) => isDrained(id)),
      run.host.answers(run.journal.runId, run.cache),
    );
    const blocks = findings.filter(({ status }) => status === 'block');
    if (blocks.length === 0) return true;
    inUse = blocks.map(({ summary }) => summary).join('; ');
    const left = limitMs - (clock.monotonic() - begun);
    if (left > 0) step(run, 'drain', null, `${inUse} (${formatDuration(left)} left)`);
    return null;
  });
  if (free) return 'nothing uses a datastore';
  throw new Fault('drain.timeout', `Still in use after ${formatDuration(limitMs)}: ${inUse}.`, {
    hint: 'Run again when it has ended, or set policy.drainTimeout.',
    exitCode: EXIT.tryLater,
  });
}
