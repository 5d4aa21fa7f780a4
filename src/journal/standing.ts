import { owesReboot } from './owed.js';
import { isUnfinished, type RunState } from './state.js';

/** What the journals here say of a host. */
export interface Standing {
  /** The run that the next `patch` continues, or that is at work. `open`: it has ended and left something. */
  readonly run: { readonly id: string; readonly phase: string; readonly open: boolean } | null;
  /** What its runs have left to the next one. */
  readonly owes: ReadonlyArray<'reboot' | 'fence' | 'lock'>;
  readonly lastRun: {
    readonly id: string;
    readonly outcome: string;
    readonly finishedAt: string;
  } | null;
}

/** Pure. @param runs of the host, oldest first */
export function standingOf(runs: readonly RunState[]): Standing {
  const patches = runs.filter(({ mode }) => mode === 'patch');
  const unfinished = patches.findLast(isUnfinished);
  const last = patches.findLast(({ ended }) => ended !== null);
  const owes = [
    ...(last && owesReboot(last) ? (['reboot'] as const) : []),
    ...(patches.some(({ ended, fenced }) => ended && fenced.length > 0) ? (['fence'] as const) : []),
    ...(patches.some(({ ended, locks }) => ended && locks.length > 0) ? (['lock'] as const) : []),
  ];
  return {
    run: unfinished
      ? { id: unfinished.runId, phase: unfinished.phase, open: unfinished.ended !== null }
      : null,
    owes,
    lastRun: last?.ended ? { id: last.runId, outcome: last.ended.outcome, finishedAt: last.lastAt } : null,
  };
}
