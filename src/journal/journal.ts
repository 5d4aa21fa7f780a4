import { appendFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { Fault, wordsOf } from '../fault.js';
import { isoFromMs } from '../moment.js';
import type { Clock } from '../world.js';
import { next } from './fold.js';
import { makeFolder, syncFolder } from './folders.js';
import { type Disk, LineFile, orUnwritable, realDisk } from './line-file.js';
import { type RunEvent, RunRecord } from './records.js';
import type { RunState } from './state.js';

/** The journal of a run: `stateDir/runs/<run>/journal.jsonl`, a JSON line per event, flushed to disk. */
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

  /** For `--check`, which writes nothing. */
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
    return orUnwritable(stateDir, () => {
      const folder = join(stateDir, 'runs', runId);
      makeFolder(folder);
      const journal = new Journal(runId, folder, null, clock, disk);
      try {
        journal.append(first);
        syncFolder(folder);
        return journal;
      } catch (error) {
        journal.close();
        throw error;
      }
    });
  }

  static reopen(stateDir: string, runId: string, clock: Clock, disk = realDisk): Journal {
    return orUnwritable(stateDir, () => {
      const folder = join(stateDir, 'runs', runId);
      return new Journal(runId, folder, readRun(stateDir, runId, true), clock, disk);
    });
  }

  get state(): RunState {
    if (!this.#state)
      throw new Fault('state.unreadable', `The journal of run ${this.runId} has no beginning.`);
    return this.#state;
  }

  /**
   * Returns once the event is on disk.
   * @throws Fault `state.unwritable`, also for a full disk; Error for an event that is not possible here
   */
  append(event: RunEvent): void {
    const line: RunRecord = { v: 1, run: this.runId, at: isoFromMs(this.#clock.now()), event };
    const state = next(this.#state, line);
    // Nothing is written after a gap: the journal on disk must be a beginning of the run.
    if (!this.#lost) this.#write(line);
    this.#state = state;
  }

  #write(line: RunRecord): void {
    try {
      orUnwritable(this.folder, () => this.#file?.append(JSON.stringify(line)));
    } catch (error) {
      if (!this.#mayLose || !(error instanceof Fault)) throw error;
      this.#lost = error;
    }
  }

  /**
   * From here on, what cannot be written is kept in memory only. For undoing, which must not stop because of a
   * full disk: the next run continues from what is on disk, and finds on the servers what was undone.
   */
  goOnWithoutDisk(): void {
    this.#mayLose = true;
  }

  /** Why the end of the run is not on disk; null where all of it is. */
  get lost(): Fault | null {
    return this.#lost;
  }

  /** Appends to a file next to the journal, such as apt's output. */
  keep(name: string, text: string | Uint8Array): void {
    const { folder } = this;
    if (folder === null) return;
    orUnwritable(folder, () => appendFileSync(join(folder, name), text, { mode: 0o600 }));
  }

  close(): void {
    this.#file?.close();
  }
}

/** Names the host of the run where that can still be read. */
export class UnreadableJournal extends Fault {
  readonly host: string | null;

  constructor(stateDir: string, runId: string, host: string | null, what: string, cause: unknown) {
    super('state.unreadable', what, {
      hint: hint(stateDir, runId, host, cause),
      cause: new Error(reason(cause)),
    });
    this.host = host;
  }
}

function reason(error: unknown): string {
  if (error instanceof SyntaxError) return 'it is not JSON';
  if (error instanceof z.ZodError)
    return `${error.issues[0]?.path.join('.') || 'its form'} is not what this version writes`;
  return wordsOf(error);
}

function hint(stateDir: string, runId: string, host: string | null, cause: unknown): string {
  if ((cause as NodeJS.ErrnoException).code)
    return 'Run as the user that patches, or fix the rights of that folder.';
  return [
    'It was damaged, or written by another version or user.',
    host === null
      ? 'No host is patched until that is settled, since it may be the run of any; see how they are with pbs-ctl recover, which also takes back what a run left behind.'
      : `${host} is not patched until that is settled; other hosts are. See how it is, and take back what run ${runId} left behind: pbs-ctl recover --host ${host} (--lift-fence, --release-lock).`,
    `Then move the folder of that run away: ${join(stateDir, 'runs', runId)}`,
  ].join(' ');
}

/**
 * The run of a journal; null for an empty one. A last line that was cut off by a crash is dropped, and removed
 * with `repair`: nothing was done yet because of it.
 * @throws UnreadableJournal for another broken line, an unknown version, an event that is not possible, or a
 *   file that may not be read; the error of the file system where there is no file
 */
export function readRun(stateDir: string, runId: string, repair: boolean): RunState | null {
  const path = join(stateDir, 'runs', runId, 'journal.jsonl');
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    // A run that is being begun or pruned at this moment, or a file that is not a run.
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error;
    throw new UnreadableJournal(stateDir, runId, null, `The journal of run ${runId} cannot be read`, error);
  }
  const lines = text.split('\n');
  const torn = lines.pop() ?? '';
  if (torn !== '' && repair) truncateSync(path, Buffer.byteLength(text) - Buffer.byteLength(torn));
  return lines.reduce<RunState | null>((state, line, index) => {
    try {
      return next(state, RunRecord.parse(JSON.parse(line)));
    } catch (cause) {
      const host = state?.host ?? hostIn(lines);
      throw new UnreadableJournal(
        stateDir,
        runId,
        host,
        `Line ${index + 1} of ${path} cannot be read`,
        cause,
      );
    }
  }, null);
}

const hostIn = (lines: readonly string[]) =>
  lines
    .map((line) => /"type":"started","host":"([^"\\]+)"/.exec(line)?.[1])
    .find((host) => host !== undefined) ?? null;
