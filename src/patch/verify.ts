import { ContentsWatch } from '../checks/contents-watch.js';
import { type Verification, verifyOnce } from '../checks/verify.js';
import { EXIT, Fault } from '../fault.js';
import type { Finding } from '../journal/document.js';
import { poll } from '../poll.js';
import { type Run, step } from './run.js';

/**
 * Verifies until everything has been healthy for `stableFor`, with the patience of a quarter of
 * `rebootTimeout`: mounts and services may come after the API.
 * @throws Fault `verify.failed` (exit 3)
 */
export async function verify(run: Run): Promise<string> {
  const { clock, journal, interruption } = run;
  const { policy, host } = run.host.target;
  const patience = clock.monotonic() + Math.max(policy.rebootTimeout / 4, policy.stableFor * 2);
  const leftMs = () => patience + policy.stableFor - clock.monotonic();
  interruption.finish({ what: `${host} is verified`, leftMs });
  const watch = new ContentsWatch(clock, journal.folder);
  let healthySince: number | null = null;
  await poll(clock, { everyMs: policy.pollInterval, signal: interruption.signal }, async () => {
    const isLast = clock.monotonic() > patience;
    const seen = await verifyOnce(run.host.answers(journal.runId), journal.state, { watch, isLast });
    const now = clock.monotonic();
    healthySince = seen.ok ? (healthySince ?? now) : null;
    if (healthySince !== null && now - healthySince >= policy.stableFor) {
      keep(run, seen);
      return true;
    }
    if (!seen.ok && isLast) {
      keep(run, seen);
      throw notAsBefore(host, seen.findings);
    }
    step(run, 'verify', null, seen.ok ? 'healthy, watching whether it stays so' : problems(seen.findings));
    return null;
  });
  return `healthy for ${policy.stableFor / 1000} s`;
}

/** Watches for `stableFor`, without patience. @returns what is not as before; null where all of it is */
export async function notWell(run: Run): Promise<string | null> {
  const { clock, journal, host, interruption } = run;
  const { policy } = host.target;
  const until = clock.monotonic() + policy.stableFor;
  const watch = new ContentsWatch(clock, journal.folder);
  for (;;) {
    const seen = await verifyOnce(host.answers(journal.runId), journal.state, { watch });
    const isOver = clock.monotonic() >= until;
    if (!seen.ok || isOver) keep(run, seen);
    if (!seen.ok) return problems(seen.findings);
    if (isOver) return null;
    await clock.sleep(policy.pollInterval, interruption.signal);
  }
}

function keep(run: Run, { state, findings }: Verification): void {
  run.journal.append({ type: 'checked', findings });
  if (state) run.journal.append({ type: 'after', state });
}

const problems = (findings: readonly Finding[]) =>
  findings
    .filter(({ status }) => status === 'block')
    .map(({ summary }) => summary)
    .join('; ');

const notAsBefore = (host: string, findings: readonly Finding[]) =>
  new Fault('verify.failed', `${host} is back, but not as it was: ${problems(findings)}.`, {
    hint: `The fence stays up. See what is wrong and how to fix it: pbs-ctl recover --host ${host}. Then: pbs-ctl patch --host ${host} (it verifies again and lifts the fence)`,
    exitCode: EXIT.unverified,
  });
