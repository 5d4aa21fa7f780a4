import { isEmptyPlan } from '../guest/apt.js';
import type { RunDocument } from './document.js';
import type { RunEvent } from './records.js';
import type { RunState } from './state.js';

/**
 * What a host owes when a run begins. It is written into the first line of the run, so that it outlives the journals
 * of those before.
 * @param runs of the host, oldest first
 */
export function owedBy(
  runs: readonly RunState[],
): Pick<Extract<RunEvent, { type: 'started' }>, 'owesReboot' | 'inherits' | 'postponed'> {
  const past = runs.filter(({ mode, ended }) => mode === 'patch' && ended);
  const last = past.at(-1);
  return {
    owesReboot: last !== undefined && owesReboot(last),
    inherits: past.flatMap(({ runId, ended, fenced }) =>
      ended?.open ? [] : fenced.map((datastore) => ({ run: runId, datastore })),
    ),
    postponed: postponementsOf(past),
  };
}

/** Whether the host still needs a boot after this run. */
export function owesReboot({ ended, reboot, foreignBoot, changes, owesReboot: owed }: RunState): boolean {
  if (reboot?.upAt) return foreignBoot !== null && foreignBoot.owes !== null;
  // It ended well without one: nothing that it changed needs it. What was owed before is owed still.
  if (ended?.outcome === 'patched') return owed;
  return owed || ended?.outcome === 'reboot-pending' || (changes !== null && !isEmptyPlan(changes));
}

export function postponementsOf(runs: readonly RunState[]): RunDocument['postponements'] {
  const inARow = postponedInARow(runs);
  const last = inARow.at(-1);
  if (!last) return { count: 0, since: null };
  // Those between the first and the last are pruned; journals of older versions do not count.
  const before = last.postponed ?? { count: inARow.length - 1, since: inARow[0]?.startedAt ?? null };
  return { count: before.count + 1, since: before.since ?? last.startedAt };
}

/** The last runs of a host, as far back as they were all postponed. */
export function postponedInARow(runs: readonly RunState[]): RunState[] {
  const finished = runs.filter((run) => run.mode === 'patch' && run.ended);
  return finished.slice(finished.findLastIndex((run) => run.ended?.outcome !== 'postponed') + 1);
}
