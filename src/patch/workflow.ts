import { REFUSED } from '../api/failure.js';
import { CHECKS } from '../checks/catalogue.js';
import { retryAfter, runChecks } from '../checks/check.js';
import { takeBaseline } from '../checks/host-state.js';
import type { Outcome } from '../config/schema.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import { AnswerCache } from '../host/answer-cache.js';
import type { Finding, Phase } from '../journal/document.js';
import { releaseOwn, takeLease } from '../lock/lease.js';
import { confirm } from '../lock/lock.js';
import { overridden } from '../rules/override.js';
import { drain } from './drain.js';
import { fence, liftFence } from './fence.js';
import { keepScreen } from './keep-console.js';
import { decideReboot, reboot } from './reboot.js';
import { refresh } from './refresh.js';
import { note, phase, type Run, skipPhase, warning } from './run.js';
import { followUpgrade, upgrade, upgradeArrived } from './upgrade.js';
import { validate } from './verify.js';
import { waitForBoot } from './wait.js';

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
          ? String(refused.detail.hint ?? 'Mend the token or the certificate.')
          : 'Nothing was changed. Run again when it is over.',
        exitCode: refused ? EXIT.failed : EXIT.tryLater,
        retryAfter: retryAfter(findings),
      },
    );
  }
}

/** Carries a run from wherever its journal stands to its end, and journals that end. Never throws for what a run can meet. */
export async function carryOut(run: Run): Promise<void> {
  try {
    await advance(run);
    end(run, 'patched', null);
  } catch (error) {
    await conclude(run, error);
  } finally {
    run.lease?.leave();
  }
}

async function advance(run: Run): Promise<void> {
  if (run.journal.state.upgrade === 'begun' && !(await upgradeArrived(run)))
    run.journal.append({ type: 'upgrade-void' });
  const before = run.journal.state;
  if (before.upgrade === 'not-begun' || before.upgrade === 'failed') {
    const cache = new AnswerCache(run.clock);
    await phase(run, 'preflight', () => preflight(run, cache));
    await phase(run, 'lock', () => lock(run));
    await phase(run, 'recheck', () => preflight(run, cache));
    await phase(run, 'fence', () => fence(run));
    await phase(run, 'drain', () => drain(run, cache));
    await phase(run, 'refresh', () => refresh(run));
    await phase(run, 'upgrade', () => upgrade(run));
  } else {
    await phase(run, 'lock', () => lock(run));
    if (before.upgrade === 'begun') await phase(run, 'upgrade', () => followUpgrade(run));
  }
  if (!run.journal.state.reboot) {
    const { reboot: needed, why } = await decideReboot(run);
    if (needed) await phase(run, 'reboot', () => reboot(run));
    else skipPhase(run, 'reboot', why);
  }
  const asked = run.journal.state.reboot;
  if (asked && !asked.upAt) await phase(run, 'wait', () => waitForBoot(run));
  await phase(run, 'verify', () => validate(run));
  await phase(run, 'unfence', () => liftFence(run));
  await phase(run, 'unlock', () => unlock(run));
}

/** Every check; the second time, moments later and under the lock, without what still holds of the first. */
export async function preflight(run: Run, cache: AnswerCache): Promise<string> {
  const answers = run.host.answers(run.journal.runId, cache);
  const raw = await runChecks(CHECKS, answers);
  const findings = raw.map((finding) => overridden(drainable(run, finding), run.ignoredWindow));
  for (const { id, status, summary, retryAfter } of findings) {
    run.reporter.emit({ event: 'check', host: run.host.target.host, id, status, summary, retryAfter });
  }
  run.journal.append({ type: 'checked', findings });
  if (findings.some(({ status }) => status === 'block')) throw new NotSafe(findings);
  if (!run.journal.state.baseline)
    run.journal.append({ type: 'baseline', baseline: await takeBaseline(answers) });
  const warned = findings.filter(({ status }) => status === 'warn').length;
  return `${findings.length} checks, ${warned === 0 ? 'all clear' : `${warned} with a warning`}`;
}

/** With a `drainTimeout` running tasks are waited for under the fence instead of postponing at once. */
function drainable(run: Run, finding: Finding): Finding {
  const waits = run.host.target.policy.drainTimeout > 0 && ['pbs.tasks', 'pve.backups'].includes(finding.id);
  return waits && finding.status === 'block' && finding.detail.error === undefined
    ? { ...finding, status: 'warn', summary: `${finding.summary} (will be waited for)` }
    : finding;
}

async function lock(run: Run): Promise<string> {
  const { host, clock, journal } = run;
  const { policy, host: owner } = host.target;
  run.lease = await takeLease(
    host.clusters.map((cluster) => ({
      lock: cluster.lock,
      claim: {
        owner,
        run: journal.runId,
        ttlMs: cluster.config.lock.ttl,
        onExpired: policy.onExpiredLock,
      },
    })),
    {
      clock,
      onAcquired: (cluster, expiresAt) => run.journal.append({ type: 'locked', cluster, expiresAt }),
      onRenewalFailed: (cluster, error) =>
        note(run, `the lock of cluster "${cluster}" could not be renewed: ${errorDocument(error).message}`),
    },
  );
  return `held in ${run.lease.clusters.join(', ')}`;
}

async function unlock(run: Run): Promise<string> {
  const failed = (await run.lease?.release()) ?? [];
  for (const cluster of run.lease?.clusters ?? []) {
    if (!failed.some((each) => each.cluster === cluster)) run.journal.append({ type: 'unlocked', cluster });
  }
  for (const { cluster, error } of failed) {
    warning(
      run,
      `the lock of cluster "${cluster}" could not be released: ${errorDocument(error).message} It expires by itself.`,
    );
  }
  return failed.length === 0 ? 'released' : 'not everywhere released';
}

/** Undoes or leaves behind, as the phase demands, and journals the end. */
async function conclude(run: Run, error: unknown): Promise<void> {
  run.journal.goOnWithoutDisk();
  const { upgrade: progress, reboot: asked } = run.journal.state;
  const untouched =
    progress === 'not-begun' || (progress === 'done' && asked === null && nothingChanged(run));
  const pendingReboot = progress === 'done' && asked === null && isLater(error);
  if (untouched || pendingReboot) await undo(run);
  else if (!run.lease) await findStrays(run);
  if (pendingReboot && !untouched) return end(run, 'reboot-pending', error);
  if (asked !== null) await keepScreen(run, outcomeOf(error));
  end(run, outcomeOf(error), error);
}

const nothingChanged = (run: Run) => {
  const { changes } = run.journal.state;
  return (
    (changes?.upgraded.length ?? 0) + (changes?.installed.length ?? 0) + (changes?.removed.length ?? 0) === 0
  );
};

/** Lifts our fence and releases our locks; what cannot be undone stays in the report. */
export async function undo(run: Run): Promise<void> {
  if (run.journal.state.fenced.length > 0) {
    await liftFence(run).catch((error) =>
      warning(run, `the fence could not be lifted: ${errorDocument(error).message}`),
    );
  }
  if (run.lease) await unlock(run);
  else if (run.journal.state.timeline.some(({ phase: begun }) => begun === 'lock')) await releaseStrays(run);
}

/** A lock that was taken while its answer was lost, or before the process died, is known to nobody but the tag itself. */
async function releaseStrays(run: Run): Promise<void> {
  const { host, clock, journal } = run;
  for (const cluster of host.clusters) {
    try {
      await releaseOwn(cluster.lock, { run: journal.runId }, clock);
      if (run.journal.state.locks.includes(cluster.name))
        run.journal.append({ type: 'unlocked', cluster: cluster.name });
    } catch (error) {
      run.journal.append({ type: 'locked', cluster: cluster.name, expiresAt: 0 });
      warning(run, unknownLock(cluster.name, error));
    }
  }
}

/** The same where locks stay: what may have been taken is in the report, and the next run goes on. */
async function findStrays(run: Run): Promise<void> {
  const { host, journal } = run;
  if (!run.journal.state.timeline.some(({ phase: begun }) => begun === 'lock')) return;
  for (const cluster of host.clusters) {
    if (run.journal.state.locks.includes(cluster.name)) continue;
    try {
      await confirm(cluster.lock, journal.runId);
    } catch (error) {
      if (error instanceof Fault && error.code === 'lock.lost') continue;
      warning(run, unknownLock(cluster.name, error));
    }
    run.journal.append({ type: 'locked', cluster: cluster.name, expiresAt: 0 });
  }
}

const unknownLock = (cluster: string, error: unknown) =>
  `whether the lock of cluster "${cluster}" was taken is not known: ${errorDocument(error).message}`;

export function outcomeOf(error: unknown): Outcome {
  if (!(error instanceof Fault)) return 'failed';
  if (error.exitCode === EXIT.interrupted) return 'interrupted';
  if (error.exitCode === EXIT.unverified) return 'unverified';
  return isLater(error) ? 'postponed' : 'failed';
}

/** Not safe now, or not reachable now: waiting may mend it. */
const isLater = (error: unknown) =>
  error instanceof Fault &&
  (error.exitCode === EXIT.tryLater ||
    ['net.unreachable', 'net.timeout', 'pbs.daemon-down'].includes(error.code));

export function end(run: Run, outcome: Outcome, error: unknown): void {
  const { fenced, locks, upgrade: progress } = run.journal.state;
  const later = progress === 'begun' || progress === 'failed' || fenced.length > 0 || locks.length > 0;
  run.journal.append({
    type: 'phase',
    phase: lastPhase(run, outcome),
    status: outcome === 'patched' || outcome === 'checked' ? 'intended' : 'failed',
  });
  const { lost } = run.journal;
  if (lost)
    warning(run, `the end of this run is in no journal, so the next one goes on with it: ${lost.message}`);
  run.journal.append({
    type: 'ended',
    // A run that has touched the host is not "postponed", whatever stopped it.
    outcome: outcome === 'postponed' && later ? 'failed' : outcome,
    retryAfter: error instanceof Fault ? error.retryAfter : null,
    error: error === null ? null : errorDocument(error),
    open: later && outcome !== 'patched' && outcome !== 'checked',
  });
}

const lastPhase = (run: Run, outcome: Outcome): Phase =>
  outcome === 'patched' ? 'report' : run.journal.state.phase;
