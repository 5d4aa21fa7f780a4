import { EXIT } from '../fault.js';
import { allRuns, documentsOf } from '../patch/journal.js';
import { historyText } from '../report/history-text.js';
import { downtimeOf, durationOf } from '../report/summary.js';
import { type Command, load } from './context.js';

export interface HistoryOptions {
  readonly host?: readonly string[];
}

/** Past runs, newest first. */
export const history: Command<HistoryOptions> = async (context, { host }) => {
  const { stateDir } = await load(context);
  const documents = documentsOf(allRuns(stateDir)).filter((doc) => !host?.length || host.includes(doc.host));
  const runs = documents
    .map((doc) => ({
      runId: doc.runId,
      host: doc.host,
      outcome: doc.outcome,
      startedAt: doc.startedAt,
      finishedAt: doc.finishedAt,
      durationSeconds: durationOf(doc) / 1000,
      downtimeSeconds: seconds(downtimeOf(doc)),
      from: doc.before?.version ?? null,
      to: doc.after?.version ?? null,
      packages: doc.packages.upgraded.length + doc.packages.installed.length,
      error: doc.error,
    }))
    .reverse();
  const style = { color: context.color, columns: context.world.stdout.columns };
  context.answer({ runs }, historyText(runs, style));
  return EXIT.done;
};

const seconds = (ms: number | null) => (ms === null ? null : ms / 1000);
