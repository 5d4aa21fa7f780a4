import { CHECKS } from '../checks/catalogue.js';
import { runChecks } from '../checks/check.js';
import { formatDuration } from '../config/quantity.js';
import { EXIT, Fault } from '../fault.js';
import type { AnswerCache } from '../host/answer-cache.js';
import type { Run } from './run.js';
import { requireLock, step } from './run.js';

const DRAINED = new Set(['pbs.tasks', 'pve.backups']);

/**
 * Waits until no task and no active operation uses a datastore; the fence keeps new ones away.
 * @throws Fault `drain.timeout` (exit 75) after `drainTimeout`, naming what still runs
 */
export async function drain(run: Run, cache: AnswerCache): Promise<string> {
  const { policy } = run.host.target;
  const begun = run.clock.monotonic();
  for (;;) {
    await requireLock(run);
    const findings = await runChecks(
      CHECKS.filter(({ id }) => DRAINED.has(id)),
      run.host.answers(run.journal.runId, cache),
    );
    const busy = findings.filter(({ status }) => status === 'block').map(({ summary }) => summary);
    if (busy.length === 0) return 'nothing uses a datastore';
    const waited = run.clock.monotonic() - begun;
    if (waited >= policy.drainTimeout) {
      throw new Fault(
        'drain.timeout',
        `Still in use after ${formatDuration(policy.drainTimeout)}: ${busy.join('; ')}.`,
        {
          hint: 'Run again when it has ended, or set policy.drainTimeout.',
          exitCode: EXIT.tryLater,
        },
      );
    }
    step(run, 'drain', null, `${busy.join('; ')} (${formatDuration(policy.drainTimeout - waited)} left)`);
    await run.clock.sleep(policy.pollInterval, run.interruption.signal);
  }
}
