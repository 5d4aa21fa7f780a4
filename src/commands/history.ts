import { formatDuration } from '../config/quantity.js';
import { EXIT, errorDocument } from '../fault.js';
import { workingOn } from '../journal/claim.js';
import type { RunDocument } from '../journal/document.js';
import { documentsOf, readRuns } from '../journal/runs.js';
import { localMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { clip, painter, type Style, table, wrap } from '../report/layout.js';
import { change, downtimeOf, durationOf, OUTCOME } from '../report/summary.js';
import { type Command, load } from './context.js';

/** Past runs, newest first. */
export const history: Command<{ readonly host: readonly string[] | undefined }> = async (
  context,
  { host: hosts = [] },
) => {
  const { stateDir } = await load(context);
  const past = readRuns(stateDir);
  const open = new Set(past.runs.filter(({ ended }) => !ended).map(({ runId }) => runId));
  const shown = documentsOf(past.runs)
    .filter((doc) => hosts.length === 0 || hosts.includes(doc.host))
    .reverse();
  const isRunning = async ({ runId, host }: RunDocument) =>
    open.has(runId) && (await workingOn(stateDir, host, context.world)) !== null;
  const runs = await Promise.all(shown.map(async (doc) => pastRun(doc, await isRunning(doc))));
  const unreadable = past.damaged.map(({ runId, error }) => ({ runId, error: errorDocument(error) }));
  const damaged = unreadable.map(({ runId, error }) => `run ${runId} cannot be read: ${error.message}`);
  context.answer({ runs, unreadable }, historyText(runs, damaged, hosts, context.style));
  return EXIT.done;
};

/** A run of `history --json`. Times ISO 8601 in UTC. */
const pastRun = (doc: RunDocument, running: boolean) => ({
  runId: doc.runId,
  host: doc.host,
  outcome: doc.outcome,
  /** A process works on it: its outcome is not settled. */
  running,
  startedAt: doc.startedAt,
  finishedAt: doc.finishedAt,
  durationSeconds: durationOf(doc) / 1000,
  /** Null where there was no reboot, or its end was not seen. */
  downtimeSeconds: seconds(downtimeOf(doc)),
  /** Versions before and after; null where the run did not get that far. */
  from: doc.before?.version ?? null,
  to: doc.after?.version ?? null,
  packages: doc.packages.upgraded.length + doc.packages.installed.length,
  error: doc.error,
});

const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);

/** A line a run. Pure. */
function historyText(
  runs: ReadonlyArray<ReturnType<typeof pastRun>>,
  damaged: readonly string[],
  hosts: readonly string[],
  { color, columns }: Style,
): string {
  const paint = painter(color);
  const quiet = (text: string) => ({ text, tone: 'quiet' }) as const;
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
    rest: (width: number) => [
      clip(run.from === null ? '-' : oneLine(change(run.from, run.to ?? undefined)), width),
    ],
  }));
  const lines =
    runs.length === 0 ? none(hosts) : table([head, ...rows], { paint, columns, leastRest: 0 }).flat();
  const notes = damaged.flatMap((text) => wrap(text, columns)).map((line) => paint('careful', line));
  return `${[...lines, ...notes].join('\n')}\n`;
}

const none = (hosts: readonly string[]): string[] =>
  hosts.length === 0
    ? ['No run yet. To see what the first one would do:', '  pbs-ctl patch --host HOST --check']
    : [`No run of ${hosts.map(oneLine).join(', ')} yet. All hosts:`, '  pbs-ctl history'];

const duration = (length: number | null) =>
  length === null ? '-' : formatDuration(Math.round(length) * 1000);
