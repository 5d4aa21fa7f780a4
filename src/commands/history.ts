import { EXIT, errorDocument } from '../fault.js';
import { workingOn } from '../journal/claim.js';
import type { RunDocument } from '../journal/document.js';
import { documentsOf, readRuns } from '../journal/runs.js';
import { historyText, type PastRun } from '../report/history-text.js';
import { downtimeOf, durationOf } from '../report/summary.js';
import { type Command, load } from './context.js';

interface HistoryOptions {
  readonly host: readonly string[] | undefined;
}

/** Past runs, newest first. */
export const history: Command<HistoryOptions> = async (context, { host }) => {
  const { stateDir } = await load(context);
  const past = readRuns(stateDir);
  const open = new Set(past.runs.filter(({ ended }) => !ended).map(({ runId }) => runId));
  const runs = documentsOf(past.runs)
    .filter((doc) => !host?.length || host.includes(doc.host))
    .map((doc) => pastRun(doc, open.has(doc.runId) && workingOn(stateDir, doc.host, context.world) !== null))
    .reverse();
  const unreadable = past.damaged.map(({ runId, error }) => ({ runId, error: errorDocument(error) }));
  context.answer({ runs, unreadable }, historyText(runs, { unreadable, hosts: host ?? [] }, context.style));
  return EXIT.done;
};

const pastRun = (doc: RunDocument, running: boolean): PastRun => ({
  runId: doc.runId,
  host: doc.host,
  outcome: doc.outcome,
  running,
  startedAt: doc.startedAt,
  finishedAt: doc.finishedAt,
  durationSeconds: durationOf(doc) / 1000,
  downtimeSeconds: seconds(downtimeOf(doc)),
  from: doc.before?.version ?? null,
  to: doc.after?.version ?? null,
  packages: doc.packages.upgraded.length + doc.packages.installed.length,
  error: doc.error,
});

const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
