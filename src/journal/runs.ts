import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { NO_CHANGES } from '../guest/apt.js';
import type { Clock } from '../world.js';
import type { RunDocument } from './document.js';
import { Journal, readRun, UnreadableJournal } from './journal.js';
import { orUnwritable } from './line-file.js';
import { postponementsOf } from './owed.js';
import type { RunEvent } from './records.js';
import { isUnfinished, type RunState } from './state.js';

export interface PastRuns {
  /** Oldest first. */
  readonly runs: RunState[];
  readonly damaged: ReadonlyArray<{ readonly runId: string; readonly error: UnreadableJournal }>;
}

/** Where the journal of a run is, and what was kept beside it. */
export const folderOf = (stateDir: string, runId: string): string => join(stateDir, 'runs', runId);

export function readRuns(stateDir: string): PastRuns {
  const folder = join(stateDir, 'runs');
  const runs: RunState[] = [];
  const damaged: Array<PastRuns['damaged'][number]> = [];
  for (const runId of orUnwritable(folder, () => names(folder))) {
    try {
      const run = readRun(stateDir, runId, false);
      if (run) runs.push(run);
    } catch (error) {
      if (error instanceof UnreadableJournal) damaged.push({ runId, error });
    }
  }
  return { runs: runs.sort((a, b) => a.startedAt.localeCompare(b.startedAt)), damaged };
}

/** The runs of a host, oldest first. @throws UnreadableJournal for one that is, or may be, of this host */
export function runsOf(stateDir: string, host: string, { runs, damaged } = readRuns(stateDir)): RunState[] {
  const refused = damaged.find(({ error }) => error.host === null || error.host === host);
  if (refused) throw refused.error;
  return runs.filter((run) => run.host === host);
}

/** The runs of the hosts whose journals can all be read. @throws UnreadableJournal for one of an unknown host */
export function wholeHistories(stateDir: string): RunState[] {
  const { runs, damaged } = readRuns(stateDir);
  const unknown = damaged.find(({ error }) => error.host === null);
  if (unknown) throw unknown.error;
  const refused = new Set(damaged.map(({ error }) => error.host));
  return runs.filter(({ host }) => !refused.has(host));
}

/**
 * Whether a journal here says who lifts the fence of a run: the run itself, which is unfinished or has left it, or the
 * run that asks, which has taken over its lock.
 */
export function accountsFor(stateDir: string, run: string, asking: string | null): boolean {
  const known = (id: string): RunState | null => {
    try {
      return readRun(stateDir, id, false);
    } catch {
      return null;
    }
  };
  const own = asking === null ? null : known(asking);
  if (own?.tookOver.includes(run) || own?.inherited.some((each) => each.run === run)) return true;
  const other = known(run);
  return other !== null && (isUnfinished(other) || other.fenced.length > 0);
}

/** The reports of runs, each with the postponements of its host before it. */
export function documentsOf(runs: readonly RunState[]): RunDocument[] {
  return runs.map((run, index) =>
    documentOf(run, postponementsOf(runs.slice(0, index).filter(({ host }) => host === run.host))),
  );
}

/**
 * When a run took the lock of a cluster (ISO 8601), by its journal on this machine: the tag only says until
 * when. Null for a run of another machine, and for a lock that `lock acquire` or `lock hold` took.
 */
export function lockedSince(stateDir: string, runId: string, cluster: string): string | null {
  // The run id comes from a tag, which others may write: it must not lead out of the folder.
  if (!/^[a-z0-9]+$/.test(runId)) return null;
  try {
    const since = readRun(stateDir, runId, false)?.lockedSince ?? {};
    return (Object.hasOwn(since, cluster) ? since[cluster] : null) ?? null;
  } catch {
    return null; // no such run here, or one that this user may not read
  }
}

/**
 * Records the delivery of the report of a run that has ended. Best effort: rather post to Slack twice than
 * never.
 */
export function addToEnded(
  stateDir: string,
  runId: string,
  events: ReadonlyArray<Extract<RunEvent, { type: 'warning' | 'told' | 'unlocked' | 'unfenced' }>>,
  clock: Clock,
): void {
  // `--abandon` without an unfinished run leaves none on disk.
  if (events.length === 0 || !existsSync(join(stateDir, 'runs', runId))) return;
  try {
    const journal = Journal.reopen(stateDir, runId, clock);
    for (const event of events) journal.append(event);
    journal.close();
  } catch {
    // For example a full disk.
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** An upgrade whose end was not seen may have changed anything. */
function packagesKnown({ mode, upgrade, changes, planned }: RunState): boolean {
  if (mode === 'check') return planned !== null;
  // Journals of older versions do not record what a failed upgrade had changed.
  return upgrade === 'failed' ? changes !== null : upgrade !== 'begun';
}

const compared = z.object({ equal: z.boolean().nullable(), differences: z.array(z.string()) });

function inventoryOf({ inventory, findings }: RunState): RunDocument['inventory'] {
  if (!inventory) return null;
  const all = inventory.stores.flatMap(({ namespaces }) => namespaces);
  const found = compared.safeParse(findings.find(({ id }) => id === 'verify.inventory')?.detail);
  return {
    datastores: inventory.stores.length,
    groups: all.reduce((sum, { groups }) => sum + groups, 0),
    snapshots: all.reduce((sum, { snapshots }) => sum + snapshots, 0),
    ...(found.success ? found.data : { equal: null, differences: [] }),
  };
}

/** The report, from the journal alone. */
export function documentOf(state: RunState, postponements: RunDocument['postponements']): RunDocument {
  const ended = state.ended ?? { outcome: 'interrupted' as const, retryAfter: null, error: null };
  return {
    schemaVersion: 1,
    runId: state.runId,
    host: state.host,
    mode: state.mode,
    outcome: ended.outcome,
    phase: state.phase,
    startedAt: state.startedAt,
    finishedAt: state.lastAt,
    resumed: state.resumed,
    before: state.baseline?.state ?? null,
    after: state.after,
    planDigest: state.planned?.planDigest ?? null,
    approval: state.planned?.approval ?? [],
    would: state.would,
    safeUntil: state.safeUntil,
    updatesAsOf: state.updatesAsOf,
    packages: state.changes ?? (state.mode === 'check' ? state.planned?.packages : null) ?? NO_CHANGES,
    packagesKnown: packagesKnown(state),
    checks: state.findings,
    reboot: state.reboot && {
      count: state.reboot.count,
      ...(state.foreignBoot ? { byOther: true as const } : {}),
      requestedAt: state.reboot.requestedAt,
      downAt: state.reboot.downAt,
      upAt: state.reboot.upAt,
    },
    inventory: inventoryOf(state),
    leftBehind: {
      fenced: [
        ...new Set([
          ...state.fenced,
          ...[...state.inherited, ...state.otherFences].map(({ datastore }) => datastore),
        ]),
      ],
      locks: state.locks,
      ...(state.otherFences.length > 0 ? { otherRuns: state.otherFences } : {}),
    },
    retryAfter: ended.retryAfter,
    postponements,
    evidence: state.evidence,
    accepted: state.accepted.map(({ id, reason }) => ({ id, reason })),
    warnings: state.warnings,
    screen: state.screen,
    error: ended.error,
  };
}
