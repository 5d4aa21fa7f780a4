import type { Outcome } from '../config/schema.js';
import { errorDocument, Fault } from '../fault.js';
import type { Phase } from '../journal/document.js';
import type { RunState } from '../journal/state.js';
import { consequenceOf, heldBack } from '../rules/failure.js';
import { ending } from '../rules/outcome.js';
import { drain } from './drain.js';
import { fence, unfence } from './fence.js';
import { whatHoldsTheFence } from './gate.js';
import { keepConsole } from './keep-console.js';
import { lock, unlock } from './lock.js';
import { preflight } from './preflight.js';
import { reboot, whyNoReboot } from './reboot.js';
import { refresh } from './refresh.js';
import { phase, type Run, skipPhase, warning } from './run.js';
import { reportOrphanedLocks, undoFence, undoLock } from './undo.js';
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
  { name: 'reboot', when: (state) => state.reboot === null, unless: whyNoReboot, act: reboot },
  // Only a boot that was verified takes the fence away.
  { name: 'wait', when: (state) => state.reboot !== null && state.reboot.upAt === null, act: waitForBoot },
  { name: 'verify', when: always, act: verify },
  { name: 'unfence', when: always, act: unfence },
  { name: 'unlock', when: always, act: unlock },
];

/** Carries a run from where its journal ends to its outcome, and journals that. Never throws for what a run can meet. */
export async function carryOut(run: Run): Promise<void> {
  try {
    await noteVoidUpgrade(run);
    for (const each of WORKFLOW) await goThrough(run, each);
    end(run, 'patched', null);
  } catch (error) {
    await conclude(run, error);
  } finally {
    run.lease?.leave();
  }
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
  const byState = consequenceOf(run.journal.state, error);
  const holds = byState.looksFirst ? await whatHoldsTheFence(run) : [];
  for (const { id, summary } of holds) warning(run, `the fence stays: ${id}: ${summary}`);
  const { takesBack, keepsConsole, outcome } = holds.length > 0 ? heldBack(byState) : byState;
  if (takesBack) for (const { undo } of [...WORKFLOW].reverse()) await undo?.(run);
  else await reportOrphanedLocks(run);
  if (keepsConsole) await keepConsole(run);
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
