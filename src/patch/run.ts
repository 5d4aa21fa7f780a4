import type { AnswerCache } from '../host/answer-cache.js';
import type { Host } from '../host/open.js';
import type { Phase } from '../journal/document.js';
import type { Journal } from '../journal/journal.js';
import type { Lease } from '../lock/lease.js';
import { LockFault } from '../lock/lock-fault.js';
import type { Reporter } from '../report/events.js';
import type { Clock } from '../world.js';
import type { Interruption } from './interruption.js';

/** What every phase of a run works with. */
export interface Run {
  readonly host: Host;
  readonly journal: Journal;
  readonly clock: Clock;
  readonly reporter: Reporter;
  readonly interruption: Interruption;
  /** `--plan DIGEST`: the only plan that may be carried out. */
  readonly requiredPlan: string | null;
  /** `--ignore-window REASON`: why window, blackouts and schedules do not count this time. */
  readonly ignoredWindow: string | null;
  /** What checks have learned a moment ago. */
  readonly cache: AnswerCache;
  /** Tells people at once, in the middle of a run, where the config names Slack. @returns why it could not */
  readonly alarm?: (text: string) => Promise<string | null>;
  /** Groups of each datastore, by the last inventory of this host. */
  readonly groupsSeen?: ReadonlyMap<string, number>;
  /** `--wait`: until then (by the monotonic clock) a lock that another holds is waited for. */
  readonly waitsUntil?: number;
  /** No other process can be at work on this run; else its lock is taken over only once its lease has ended. */
  readonly sole: boolean;
  lease: Lease | null;
}

export function note(run: Run, text: string): void {
  run.reporter.emit({ host: run.host.target.host, event: 'note', level: 'info', text });
}

/** A thing that went wrong without changing the outcome: told now and in the report. */
export function warning(run: Run, text: string): void {
  run.journal.append({ type: 'warning', text });
  run.reporter.emit({ host: run.host.target.host, event: 'note', level: 'warning', text });
}

export function step(run: Run, label: string, percent: number | null, text: string): void {
  run.reporter.emit({ host: run.host.target.host, event: 'step', label, percent, text });
}

/** From the request on nothing is left that a signal could keep from happening: boot and verification are waited for. */
export function finishReboot({ interruption, host, clock }: Run): void {
  const { rebootTimeout, stableFor } = host.target.policy;
  const deadline = clock.monotonic() + rebootTimeout + Math.max(rebootTimeout / 4, stableFor * 2);
  interruption.finish({
    what: `${host.target.host} reboots and is verified`,
    leftMs: () => deadline - clock.monotonic(),
  });
}

/** Reads the locks back before something is changed. @throws Fault `lock.lost`, `lock.stale` */
export async function requireLock(run: Run): Promise<void> {
  run.interruption.throwIfStopped();
  if (!run.lease) throw new LockFault('lock.not-held', 'The run holds no lock; it changes nothing.');
  await run.lease.confirm();
}

/**
 * One phase of the workflow, journaled before and after.
 * @param act answers with the line a person reads when it is done
 */
export async function phase(run: Run, name: Phase, act: () => Promise<string>): Promise<void> {
  const { host } = run.host.target;
  run.interruption.throwIfStopped();
  run.journal.append({ type: 'phase', phase: name, status: 'intended' });
  run.reporter.emit({ host, event: 'phase', phase: name, status: 'started', text: '' });
  try {
    const text = await act();
    run.journal.append({ type: 'phase', phase: name, status: 'done' });
    run.reporter.emit({ host, event: 'phase', phase: name, status: 'done', text });
  } catch (error) {
    run.reporter.emit({
      host,
      event: 'phase',
      phase: name,
      status: 'failed',
      text: error instanceof Error ? error.message : String(error),
    });
    throw error;
  }
}

export function skipPhase(run: Run, name: Phase, text: string): void {
  run.journal.append({ type: 'phase', phase: name, status: 'skipped' });
  run.reporter.emit({ host: run.host.target.host, event: 'phase', phase: name, status: 'skipped', text });
}
