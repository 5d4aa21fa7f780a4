import { REFUSED } from '../api/failure.js';
import { CHECKS } from '../checks/catalogue.js';
import { retryAfter, runChecks } from '../checks/check.js';
import { takeBaseline } from '../checks/host-state.js';
import { EXIT, Fault } from '../fault.js';
import type { Finding } from '../journal/document.js';
import { softened } from '../rules/softened.js';
import type { Run } from './run.js';

/**
 * Every check. As `recheck`, moments later and under the lock, without what still holds of the first time.
 * @throws NotSafe
 */
export async function preflight(run: Run): Promise<string> {
  const { drainTimeout } = run.host.target.policy;
  const { ignoredWindow } = run;
  const answers = run.host.answers(run.journal.runId, run.cache);
  const raw = await runChecks(CHECKS, answers);
  const findings = raw.map((finding) => softened(finding, { ignoredWindow, drainTimeout }));
  for (const { id, status, summary, retryAfter: over } of findings) {
    run.reporter.emit({ event: 'check', host: run.host.target.host, id, status, summary, retryAfter: over });
  }
  run.journal.append({ type: 'checked', findings });
  if (findings.some(({ status }) => status === 'block')) throw new NotSafe(findings);
  if (!run.journal.state.baseline)
    run.journal.append({ type: 'baseline', baseline: await takeBaseline(answers) });
  const warned = findings.filter(({ status }) => status === 'warn').length;
  return `${findings.length} checks, ${warned === 0 ? 'all clear' : `${warned} with a warning`}`;
}

/** The checks said no. */
export class NotSafe extends Fault {
  constructor(findings: readonly Finding[]) {
    const blocks = findings.filter(({ status }) => status === 'block');
    const refused = blocks.find(({ detail }) => REFUSED.has(String(detail.error)));
    super(
      refused ? String(refused.detail.error) : 'not-safe',
      (refused ? [refused] : blocks).map(({ id, summary }) => `${id}: ${summary}`).join('; '),
      {
        hint: refused
          ? String(refused.detail.hint ?? 'Correct the token or the certificate.')
          : 'Nothing was changed. Run again when it is over.',
        exitCode: refused ? EXIT.failed : EXIT.tryLater,
        retryAfter: retryAfter(findings),
      },
    );
  }
}
