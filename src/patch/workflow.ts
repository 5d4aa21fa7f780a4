import type { Outcome } from '../config/schema.js';
import { EXIT, errorDocument, Fault } from '../fault.js';
import type { Phase } from '../journal/document.js';
import type { RunState } from '../journal/state.js';
import { isoFromMs } from '../moment.js';
import { consequenceOf, heldBack } from '../rules/failure.js';
import { ending, isLater } from '../rules/outcome.js';
import { drain } from './drain.js';
import { fence, unfenceAll } from './fence.js';
import { foreignBoot } from './foreign-boot.js';
import { whatHoldsTheFence } from './gate.js';
import { keepConsole } from './keep-console.js';
import { lock, unlock } from './lock.js';
import { preflight } from './preflight.js';
import { reboot, whyNoReboot } from './reboot.js';
import { refresh } from './refresh.js';
import { closeRolledBack, hasGoneBack } from './rolled-back.js';
import { phase, type Run, skipPhase, warning } from './run.js';
import { mayHoldLocks, reportOrphanedLocks, undoFence, undoLock } from './undo.js';
import { noteVoidUpgrade, upgrade } from './upgrade.js';
import { verify } from './verify.js';
import { waitForBoot } from './wait.js';

interface PhaseOfWorkflow {
  readonly name: Phase;
  /** Whether a run in this state goes through it: a fresh one, and one that is resumed. */
  readonly when: (state: RunState) => boolean;
  /** Why it is left out after all, as a look at the servers says; null where it is not. */
  readonly unless?: (run: Run) => Promise<string | null>;
  /** @returns the line a person reads when it is done */
  readonly act: (run: Run) => Promise<string>;
  /** How it is taken back where a run fails of which nothing is to stay. */
  readonly undo?: (run: Run) => Promise<void>;
}

const always = () => true;
const toUpgrade = ({ upgrade: progress }: RunState) => progress === 'not-begun' || progress === 'failed';

/**
 * The workflow, in its order. A run goes through the phases that its state asks for, whether it has just begun
 * or was resumed. Whether a failure takes back what was done is decided by how far the run has come with
 * its host (rules/failure.ts): until the upgrade has begun, all of it.
 */
const WORKFLOW: readonly PhaseOfWorkflow[] = [
  { name: 'preflight', when: toUpgrade, act: (run) => preflight(run, 'preflight') },
  { name: 'lock', when: always, act: lock, undo: undoLock },
  { name: 'recheck', when: toUpgrade, act: (run) => preflight(run, 'recheck') },
  { name: 'fence', when: toUpgrade, act: fence, undo: undoFence },
  { name: 'drain', when: toUpgrade, act: drain },
  { name: 'refresh', when: toUpgrade, act: refresh },
  // From here on packages change: a failure leaves fence and lock where they are, and the next run continues.
  { name: 'upgrade', when: ({ upgrade: progress }) => progress !== 'done', act: upgrade },
  // They are whole: a reboot that may not be now is left to the next run, and nothing else.
  {
    name: 'reboot',
    when: (state) => state.reboot === null,
    unless: async (run) => (await foreignBoot(run)) ?? (await whyNoReboot(run)),
    act: reboot,
  },
  // Only a boot that was verified takes the fence away.
  { name: 'wait', when: (state) => state.reboot !== null && state.reboot.upAt === null, act: waitForBoot },
  { name: 'verify', when: always, act: verify },
  { name: 'unfence', when: always, act: unfenceAll },
  { name: 'unlock', when: always, act: unlock },
];

/** Carries a run from where its journal ends to its outcome, and journals that. Never throws for what a run can meet. */
export async function carryOut(run: Run): Promise<void> {
  const { now } = run.interruption;
  const over = new AbortController();
  const left = new Promise<true>((resolve) => {
    now.addEventListener('abort', () => resolve(true), { signal: over.signal });
  });
  const isLeft = await Promise.race([left, toItsEnd(run)]);
  over.abort();
  run.lease?.leave();
  if (isLeft) leave(run);
}

async function toItsEnd(run: Run): Promise<void> {
  try {
    const { state } = run.journal;
    if (state.resumed && (await hasGoneBack(run.host, state))) return await closeRolledBack(run);
    if (run.journal.state.upgrade === 'begun') {
      // Under the lock, since it may take long to see what has become of it.
      await phase(run, 'lock', () => lock(run));
      await noteVoidUpgrade(run);
    }
    for (const each of WORKFLOW) await goThrough(run, each);
    const owed = owedReboot(run);
    end(run, owed ? 'reboot-pending' : 'patched', owed);
  } catch (error) {
    // Nothing is undone any more by a process that has been told to leave.
    if (run.interruption.now.aborted) return;
    if (await bootCameFirst(run, error)) return toItsEnd(run);
    await conclude(run, error);
  }
}

/** The host was booted by another while this run waited to do it: it is to be verified before anything is lifted. */
async function bootCameFirst(run: Run, error: unknown): Promise<boolean> {
  const { upgrade: stands, reboot: booted } = run.journal.state;
  if (stands !== 'done' || booted !== null || !isLater(error) || run.interruption.signal.aborted)
    return false;
  return (await foreignBoot(run).catch(() => null)) !== null;
}

/** A boot by another came before the last of what needs one. */
function owedReboot({ journal, host }: Run): Fault | null {
  const { reboot: booted, foreignBoot: foreign } = journal.state;
  if (!booted || !foreign || foreign.owes === null) return null;
  const { host: name, policy } = host.target;
  return new Fault('reboot.owed', `${name} is well, and needs another boot: ${foreign.owes}.`, {
    hint: `The next run reboots:\npbs-ctl patch --host ${name}`,
    exitCode: EXIT.tryLater,
    retryAfter: isoFromMs(Date.parse(booted.requestedAt) + policy.minRebootInterval),
  });
}

/** Journals the end of a run that leaves at once, without another request. */
function leave(run: Run): void {
  const { journal, host, interruption } = run;
  if (journal.state.ended) return;
  journal.goOnWithoutDisk();
  if (!run.lease && mayHoldLocks(run))
    for (const { name } of host.clusters) journal.append({ type: 'locked', cluster: name, expiresAt: 0 });
  warnOfFence(run);
  end(run, 'interrupted', interruption.now.reason);
}

/** A person may have meant to continue later, and not that backups fail until then. */
function warnOfFence(run: Run): void {
  const { fenced } = run.journal.state;
  if (fenced.length > 0)
    warning(run, `backups to ${fenced.join(', ')} are refused until the next patch of this host`);
}

async function goThrough(run: Run, { name, when, unless, act }: PhaseOfWorkflow): Promise<void> {
  if (!when(run.journal.state)) return;
  const why = (await unless?.(run)) ?? null;
  if (why === null) await phase(run, name, () => act(run));
  else skipPhase(run, name, why);
}

/** Takes back or leaves behind what the failure demands, and journals the end. */
async function conclude(run: Run, error: unknown): Promise<void> {
  run.journal.goOnWithoutDisk();
  const { signal } = run.interruption;
  const byState = consequenceOf(run.journal.state, signal.aborted && isLater(error) ? signal.reason : error);
  const holds = byState.looksFirst ? await whatHoldsTheFence(run) : [];
  for (const { id, summary } of holds) warning(run, `the fence stays: ${id}: ${summary}`);
  const { takesBack, keepsConsole, outcome } = holds.length > 0 ? heldBack(byState) : byState;
  if (takesBack) for (const { undo } of [...WORKFLOW].reverse()) await undo?.(run);
  else await reportOrphanedLocks(run);
  if (keepsConsole) await keepConsole(run);
  if (outcome === 'interrupted') warnOfFence(run);
  end(run, outcome, error);
}

/** Journals the end of a run. */
export function end(run: Run, reached: Outcome, error: unknown): void {
  const { journal } = run;
  const isDone = reached === 'patched' || reached === 'checked';
  journal.append({
    type: 'phase',
    phase: reached === 'patched' ? 'report' : journal.state.phase,
    status: isDone ? 'intended' : 'failed',
  });
  const { outcome, open } = ending(journal.state, reached);
  if (error instanceof Fault && error.evidence.length > 0)
    journal.append({ type: 'evidence', lines: error.evidence });
  const { lost } = journal;
  if (lost)
    warning(run, `the end of this run is in no journal, so the next one continues it: ${lost.message}`);
  journal.append({
    type: 'ended',
    outcome,
    retryAfter: error instanceof Fault ? error.retryAfter : null,
    error: error === null ? null : errorDocument(error),
    open,
  });
}
