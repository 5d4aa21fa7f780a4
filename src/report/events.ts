import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, Fault, wordsOf } from '../fault.js';
import type { Finding, Phase, RunDocument } from '../journal/document.js';
import { isoFromMs } from '../moment.js';
import { printable } from '../printable.js';
import type { World } from '../world.js';

/** What happens in a run, shown to people by a {@link Reporter} and written for programs as a line of JSON. */
export type Progress = { readonly host: string } & (
  | {
      readonly event: 'begun';
      readonly runId: string;
      readonly mode: RunDocument['mode'];
      /** It continues a run that was left unfinished. */
      readonly resumed: boolean;
    }
  | {
      readonly event: 'phase';
      readonly phase: Phase;
      readonly status: 'started' | 'done' | 'skipped' | 'failed';
      readonly text: string;
    }
  | ({ readonly event: 'check' } & Pick<Finding, 'id' | 'status' | 'summary' | 'retryAfter'>)
  | { readonly event: 'note'; readonly level: 'info' | 'warning'; readonly text: string }
  /** `percent` 0 to 100, or null where only the text is known. Replaces the last step of the same label. */
  | { readonly event: 'step'; readonly label: string; readonly percent: number | null; readonly text: string }
);

/** For one run. */
export interface Reporter {
  emit(progress: Progress): void;
  /** Leaves the terminal in order; called once at the end. */
  end(): void;
}

/** Where several runs report their progress at once. */
export interface Screen {
  begin(): Reporter;
  /** Writes lines that stay, on any stream, above what is being drawn. */
  above(write: () => void): void;
}

/** What one line holds, beside `v` and `time`. Documented in docs/events.md; names only get added. */
type StreamedEvent =
  | Progress
  | ({ readonly event: 'ended'; readonly exitCode: number } & Pick<
      RunDocument,
      'host' | 'runId' | 'mode' | 'outcome' | 'phase' | 'retryAfter' | 'leftBehind' | 'error'
    >);

/** A line of JSON per event, for a program that follows a run. */
interface EventStream {
  /** The same reporter, and each event as a line. */
  around(reporter: Reporter): Reporter;
  ended(document: RunDocument, exitCode: number): void;
}

const NONE: EventStream = { around: (reporter) => reporter, ended: () => {} };

/**
 * @param place a file to append to, "-" for stdout; undefined: no events
 * @throws Fault `usage.events` (exit 2) if the file cannot be written, before any run begins
 */
export function openEvents(place: string | undefined, world: World): EventStream {
  if (place === undefined) return NONE;
  let write = place === '-' ? world.stdout.write : intoFile(resolve(world.cwd, place));
  const line = (event: StreamedEvent) => {
    try {
      write(printable(`${JSON.stringify({ v: 1, time: isoFromMs(world.clock.now()), ...event })}\n`));
    } catch (error) {
      // A reader of events must not stop a run.
      write = () => {};
      world.stderr.write(`pbs-ctl: ${place} can no longer be written: ${wordsOf(error)}\n`);
    }
  };
  return {
    around: (reporter) => ({
      emit: (progress) => {
        line(progress);
        reporter.emit(progress);
      },
      end: () => reporter.end(),
    }),
    ended: ({ host, runId, mode, outcome, phase, retryAfter, leftBehind, error }, exitCode) =>
      line({ host, event: 'ended', runId, mode, outcome, phase, exitCode, retryAfter, leftBehind, error }),
  };
}

function intoFile(path: string): (text: string) => void {
  const append = (text: string) => appendFileSync(path, text, { mode: 0o600 });
  try {
    append('');
  } catch (error) {
    const isMissing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    const why = isMissing ? 'its folder does not exist' : wordsOf(error);
    throw new Fault('usage.events', `--events ${path} cannot be written: ${why}.`, {
      hint: 'Name a file in a folder that exists, or - for stdout.',
      exitCode: EXIT.usage,
    });
  }
  return append;
}
