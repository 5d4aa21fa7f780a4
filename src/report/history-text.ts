import { formatDuration } from '../config/quantity.js';
import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import { localMoment } from '../moment.js';
import { clip, oneLine, painter, type Style, wrap } from './layout.js';
import { OUTCOME } from './outcome.js';
import { change } from './summary.js';
import { table } from './table.js';

/** A run of `history --json`. Times ISO 8601 in UTC. */
export interface PastRun {
  readonly runId: string;
  readonly host: string;
  readonly outcome: Outcome;
  /** True while a process works on it; its outcome is not settled then. */
  readonly running: boolean;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly durationSeconds: number;
  /** Null where there was no reboot, or its end was not seen. */
  readonly downtimeSeconds: number | null;
  /** Versions before and after; null where the run did not come so far. */
  readonly from: string | null;
  readonly to: string | null;
  readonly packages: number;
  readonly error: ErrorDocument | null;
}

interface HistoryNotes {
  readonly unreadable: ReadonlyArray<{ readonly runId: string; readonly error: ErrorDocument }>;
  /** Hosts that were requested; none for all. */
  readonly hosts: readonly string[];
}

/** A line a run. Pure. */
export function historyText(
  runs: readonly PastRun[],
  { unreadable, hosts }: HistoryNotes,
  { color, columns }: Style,
): string {
  const paint = painter(color);
  const damaged = unreadable.flatMap(({ runId, error }) =>
    wrap(`run ${runId} cannot be read: ${error.message}`, columns).map((line) => paint('careful', line)),
  );
  if (runs.length === 0) return `${[none(hosts), ...damaged].join('\n')}\n`;
  const head = {
    cells: ['run', 'host', 'began', 'outcome', 'took', 'down'].map(quiet),
    rest: () => [paint('quiet', 'version')],
  };
  const rows = runs.map((run) => ({
    cells: [
      run.runId,
      run.host,
      localMoment(run.startedAt).slice(0, 16),
      run.running
        ? ({ text: 'running', tone: 'strong' } as const)
        : { text: run.outcome, tone: OUTCOME[run.outcome].tone },
      duration(run.durationSeconds),
      duration(run.downtimeSeconds),
    ],
    rest: (width: number) => [clip(versions(run), width)],
  }));
  return `${[...table([head, ...rows], { paint, columns, leastRest: 0 }).flat(), ...damaged].join('\n')}\n`;
}

const quiet = (text: string) => ({ text, tone: 'quiet' }) as const;

const none = (hosts: readonly string[]) =>
  hosts.length === 0
    ? 'No run yet. The first one: pbs-ctl patch --host HOST'
    : `No run of ${hosts.map(oneLine).join(', ')} yet. All hosts: pbs-ctl history`;

const duration = (seconds: number | null) =>
  seconds === null ? '-' : formatDuration(Math.round(seconds) * 1000);
const versions = ({ from, to }: PastRun) => (from === null ? '-' : change(from, to ?? undefined));
