import { appendFileSync, mkdirSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../fault.js';
import { isoFromMs } from '../moment.js';
import type { HostMetrics } from '../report/metrics.js';
import type { Clock } from '../world.js';
import type { RunDocument } from './document.js';
import { type Disk, LineFile, realDisk } from './line-file.js';
import { type RunEvent, type RunRecord, record } from './records.js';
import { documentOf, next, type RunState } from './state.js';
import { guarded } from './unwritable.js';

/** The diary of one run: `stateDir/runs/<run>/journal.jsonl`, one JSON line an event, flushed to disk. */
export class Journal {
  readonly runId: string;
  readonly folder: string | null;
  readonly #file: LineFile | null;
  readonly #clock: Clock;
  #state: RunState | null;
  #mayLose = false;
  #lost: Fault | null = null;

  private constructor(
    runId: string,
    folder: string | null,
    state: RunState | null,
    clock: Clock,
    disk: Disk,
  ) {
    this.runId = runId;
    this.folder = folder;
    this.#state = state;
    this.#clock = clock;
    this.#file = folder === null ? null : new LineFile(join(folder, 'journal.jsonl'), disk);
  }

  /** A journal that is kept nowhere: for `--check`, which changes nothing at all. */
  static inMemory(runId: string, clock: Clock, first: Extract<RunEvent, { type: 'started' }>): Journal {
    const journal = new Journal(runId, null, null, clock, realDisk);
    journal.append(first);
    return journal;
  }

  /** @throws Fault `state.unwritable` */
  static begin(
    stateDir: string,
    runId: string,
    clock: Clock,
    first: Extract<RunEvent, { type: 'started' }>,
    disk = realDisk,
  ): Journal {
    return guarded(stateDir, () => {
      const folder = join(stateDir, 'runs', runId);
      mkdirSync(folder, { recursive: true, mode: 0o700 });
      const journal = new Journal(runId, folder, null, clock, disk);
      try {
        journal.append(first);
        return journal;
      } catch (error) {
        journal.close();
        throw error;
      }
    });
  }

  static reopen(stateDir: string, runId: string, clock: Clock, disk = realDisk): Journal {
    return guarded(stateDir, () => {
      const folder = join(stateDir, 'runs', runId);
      return new Journal(runId, folder, readRun(join(folder, 'journal.jsonl'), true), clock, disk);
    });
  }

  get state(): RunState {
    if (!this.#state)
      throw new Fault('state.unreadable', `The journal of run ${this.runId} does not begin as it should.`);
    return this.#state;
  }

  /**
   * Returns once the event is on disk.
   * @throws Fault `state.unwritable`, also for a full disk; Error for an event that cannot come here, unwritten
   */
  append(event: RunEvent): void {
    const line: RunRecord = { v: 1, run: this.runId, at: isoFromMs(this.#clock.now()), event };
    const state = next(this.#state, line);
    // Behind a gap nothing is written: what is on disk has to be how far the run came, not a part of its end.
    if (!this.#lost) this.#write(line);
    this.#state = state;
  }

  #write(line: RunRecord): void {
    try {
      guarded(this.folder, () => this.#file?.append(JSON.stringify(line)));
    } catch (error) {
      if (!this.#mayLose || !(error instanceof Fault)) throw error;
      this.#lost = error;
    }
  }

  /**
   * From here on what cannot be written is kept in memory alone. For undoing, which must not stop for want
   * of a disk: the next run goes on from what is on disk and finds on the servers what was undone.
   */
  goOnWithoutDisk(): void {
    this.#mayLose = true;
  }

  /** Why the end of the run is not on disk; null where all of it is. */
  get lost(): Fault | null {
    return this.#lost;
  }

  /** Adds to a file beside the journal, such as apt's output. */
  keep(name: string, text: string): void {
    const { folder } = this;
    if (folder === null) return;
    guarded(folder, () => appendFileSync(join(folder, name), text, { mode: 0o600 }));
  }

  close(): void {
    this.#file?.close();
  }
}

/**
 * The run that a journal tells of; null while nothing stands in it. A last line that was torn by a crash is
 * dropped (and cut off with `repair`): what it told had not been promised yet.
 * @throws Fault `state.unreadable` for a broken line before the last, one of an unknown version, or an event
 *   that cannot come where it stands
 */
function readRun(path: string, repair: boolean): RunState | null {
  return foldJournal<RunState | null>(path, repair, null, next);
}

/** The lines of a journal, folded. @throws Fault `state.unreadable` */
export function foldJournal<Result>(
  path: string,
  repair: boolean,
  start: Result,
  fold: (result: Result, line: RunRecord) => Result,
): Result {
  const text = readFileSync(path, 'utf8');
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  if (torn !== '' && repair) truncateSync(path, Buffer.byteLength(text) - Buffer.byteLength(torn));
  return lines.reduce((result, line, index) => {
    try {
      return fold(result, record.parse(JSON.parse(line)));
    } catch (cause) {
      throw new Fault('state.unreadable', `Line ${index + 1} of ${path} cannot be read.`, {
        hint: 'It was written by another version or damaged. Look at the host, then move the folder of that run away.',
        cause,
      });
    }
  }, start);
}

/** States of the runs of a host, oldest first. @throws Fault `state.unreadable` */
export function runsOf(stateDir: string, host: string): RunState[] {
  return allRuns(stateDir).filter((state) => state.host === host);
}

/** States of every run on disk, oldest first. @throws Fault `state.unreadable`: what a run rests on is not guessed */
export function allRuns(stateDir: string): RunState[] {
  const { runs, damaged } = readRuns(stateDir);
  const [first] = damaged;
  if (first) throw first.error;
  return runs;
}

export interface PastRuns {
  /** Oldest first. */
  readonly runs: RunState[];
  readonly damaged: ReadonlyArray<{ readonly runId: string; readonly error: Fault }>;
}

/** Every run that can be read, and what is wrong with the others: for those who only look. */
export function readRuns(stateDir: string): PastRuns {
  const folder = join(stateDir, 'runs');
  const runs: RunState[] = [];
  const damaged: Array<PastRuns['damaged'][number]> = [];
  for (const runId of guarded(folder, () => names(folder))) {
    try {
      const state = readRun(join(folder, runId, 'journal.jsonl'), false);
      if (state) runs.push(state);
    } catch (error) {
      // A run that is being begun or pruned at this moment, or a file that is no run.
      if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) continue;
      damaged.push({ runId, error: unreadable(folder, runId, error) });
    }
  }
  return { runs: runs.sort((a, b) => a.startedAt.localeCompare(b.startedAt)), damaged };
}

const unreadable = (folder: string, runId: string, error: unknown): Fault =>
  error instanceof Fault
    ? error
    : new Fault(
        'state.unreadable',
        `The journal of run ${runId} in ${folder} cannot be read: ${(error as Error).message}.`,
        { hint: 'Run as the user that patches, or mend the rights of that folder.', cause: error },
      );

/** The reports of runs, each with the postponements of its host before it. */
export function documentsOf(runs: readonly RunState[]): RunDocument[] {
  return runs.map((run, index) =>
    documentOf(run, postponementsOf(runs.slice(0, index).filter(({ host }) => host === run.host))),
  );
}

/** How often in a row the host was postponed before now, and since when. */
export function postponementsOf(runs: readonly RunState[]): { count: number; since: string | null } {
  const finished = runs.filter((run) => run.mode === 'patch' && run.ended);
  const last = finished.findLastIndex((run) => run.ended?.outcome !== 'postponed');
  const inARow = finished.slice(last + 1);
  return { count: inARow.length, since: inARow[0]?.startedAt ?? null };
}

/** What the metrics file tells of every host that has a run on disk. */
export function hostMetrics(stateDir: string): HostMetrics[] {
  const runs = allRuns(stateDir).filter(({ mode }) => mode === 'patch');
  return [...new Set(runs.map(({ host }) => host))].sort().flatMap((host) => {
    const own = runs.filter((run) => run.host === host);
    const last = own.at(-1);
    if (!last) return [];
    const patched = own.findLast(({ ended }) => ended?.outcome === 'patched');
    return [
      { run: documentOf(last, postponementsOf(own.slice(0, -1))), lastPatchedAt: patched?.lastAt ?? null },
    ];
  });
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}
