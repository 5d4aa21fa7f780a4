import { nearest } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import { workingOn } from '../journal/claim.js';
import type { RunDocument } from '../journal/document.js';
import { documentsOf, readRuns } from '../journal/runs.js';
import { htmlReport } from '../report/html.js';
import { markdownReport } from '../report/markdown.js';
import { slackMessage } from '../report/slack.js';
import { runText } from '../report/text.js';
import { type Command, load } from './context.js';

interface ReportOptions {
  readonly run: string;
  readonly format: 'text' | 'json' | 'markdown' | 'html' | 'slack';
  /** With "last": the last run of these hosts. */
  readonly host: readonly string[] | undefined;
}

/** One past run, in the requested form. */
export const report: Command<ReportOptions> = async (context, { run, format, host }) => {
  const { stateDir } = await load(context);
  const { runs: states, damaged } = readRuns(stateDir);
  const broken = damaged.find(({ runId }) => runId === run);
  if (broken) throw broken.error;
  const documents = documentsOf(states).filter((doc) => !host?.length || host.includes(doc.host));
  const doc = run === 'last' ? documents.at(-1) : documents.find(({ runId }) => runId === run);
  if (!doc) throw unknownRun(run, documents);
  const { timeline = [], ended = null } = states.find(({ runId }) => runId === doc.runId) ?? {};
  const { stdout, stderr } = context.world;
  if (!ended && !context.options.quiet && workingOn(stateDir, doc.host, context.world) !== null)
    stderr.write('This run is still under way; what follows is how far it is.\n');
  const forms = {
    text: () => runText(doc, context.style),
    json: () => `${JSON.stringify(doc, null, 2)}\n`,
    markdown: () => markdownReport(doc, timeline),
    html: () => htmlReport(doc, timeline),
    slack: () => `${JSON.stringify(slackMessage(doc), null, 2)}\n`,
  };
  stdout.write(context.options.json ? forms.json() : forms[format]());
  return EXIT.done;
};

function unknownRun(run: string, documents: readonly RunDocument[]): Fault {
  const known = documents.map(({ runId }) => runId);
  const near = nearest(run, known);
  const latest = documents
    .slice(-5)
    .reverse()
    .map(({ runId, host, outcome }) => `${runId} (${host}, ${outcome})`);
  const hint =
    known.length === 0
      ? 'There is none at all yet.'
      : `${near ? `Did you mean "${near}"? ` : ''}The latest: ${latest.join(', ')}. All of them: pbs-ctl history`;
  return new Fault(
    'usage.unknown-run',
    run === 'last' ? 'There is no such run yet.' : `There is no run "${run}" in the state directory.`,
    { hint, exitCode: EXIT.usage },
  );
}
