import { appendFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { EXIT, Fault } from '../fault.js';
import type { RunDocument } from '../journal/document.js';
import { isoFromMs } from '../moment.js';
import type { World } from '../world.js';
import type { Progress, Reporter } from './events.js';

/** What one line holds. Documented in docs/events.md; names only get added. */
export type StreamedEvent =
  | {
      readonly event: 'begun';
      readonly runId: string;
      readonly mode: 'patch' | 'check';
      readonly resumed: boolean;
    }
  | { readonly event: 'phase'; readonly phase: string; readonly status: string; readonly text: string }
  | {
      readonly event: 'check';
      readonly id: string;
      readonly status: string;
      readonly summary: string;
      readonly retryAfter: string | null;
    }
  | { readonly event: 'step'; readonly label: string; readonly percent: number | null; readonly text: string }
  | { readonly event: 'note'; readonly level: 'info' | 'warning'; readonly text: string }
  | ({ readonly event: 'ended'; readonly exitCode: number } & Pick<
      RunDocument,
      'runId' | 'mode' | 'outcome' | 'phase' | 'retryAfter' | 'leftBehind' | 'error'
    >);

/** A line of JSON for each change of state, for whoever follows a run by program. */
export interface EventStream {
  /** The same reporter, and each thing told to it as a line. */
  around(reporter: Reporter): Reporter;
  ended(document: RunDocument, exitCode: number): void;
}

const NONE: EventStream = { around: (reporter) => reporter, ended: () => {} };

/**
 * @param place a file that lines are added to, "-" for stdout; undefined: nobody wants them
 * @throws Fault `usage.events` (exit 2) when the file cannot be written: before anything has begun
 */
export function openEvents(place: string | undefined, world: World): EventStream {
  if (place === undefined) return NONE;
  let write = place === '-' ? world.stdout.write : intoFile(resolve(world.cwd, place));
  const line = (host: string, event: StreamedEvent) => {
    try {
      write(`${JSON.stringify({ v: 1, time: isoFromMs(world.clock.now()), host, ...event })}\n`);
    } catch (error) {
      // Whoever follows a run must not be able to stop it.
      write = () => {};
      world.stderr.write(`pbs-ctl: ${place} cannot be written any more: ${(error as Error).message}\n`);
    }
  };
  return {
    around: (reporter) => ({
      tell: (progress) => {
        line(progress.host, eventOf(progress));
        reporter.tell(progress);
      },
      end: () => reporter.end(),
    }),
    ended: ({ host, runId, mode, outcome, phase, retryAfter, leftBehind, error }, exitCode) =>
      line(host, { event: 'ended', runId, mode, outcome, phase, exitCode, retryAfter, leftBehind, error }),
  };
}

function intoFile(path: string): (text: string) => void {
  const append = (text: string) => appendFileSync(path, text, { mode: 0o600 });
  try {
    append('');
  } catch (error) {
    throw new Fault('usage.events', `--events ${path} cannot be written: ${(error as Error).message}.`, {
      hint: 'Name a file in a folder that is there, or - for stdout.',
      exitCode: EXIT.usage,
    });
  }
  return append;
}

function eventOf(progress: Progress): StreamedEvent {
  switch (progress.kind) {
    case 'begun':
      return { event: 'begun', runId: progress.runId, mode: progress.mode, resumed: progress.resumed };
    case 'phase':
      return { event: 'phase', phase: progress.phase, status: progress.status, text: progress.text };
    case 'check': {
      const { id, status, summary, retryAfter } = progress.finding;
      return { event: 'check', id, status, summary, retryAfter };
    }
    case 'step':
      return { event: 'step', label: progress.label, percent: progress.percent, text: progress.text };
    case 'note':
      return { event: 'note', level: progress.level, text: progress.text };
  }
}
