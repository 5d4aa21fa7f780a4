import { nearest } from '../config/target.js';
import { EXIT, Fault } from '../fault.js';
import { allRuns, documentsOf } from '../patch/journal.js';
import { htmlReport } from '../report/html/page.js';
import { markdownReport } from '../report/markdown.js';
import { slackMessage } from '../report/slack.js';
import { runText } from '../report/text.js';
import { type Command, load } from './context.js';

export interface ReportOptions {
  readonly run: string;
  readonly format?: string;
}

const FORMATS = ['text', 'json', 'markdown', 'html', 'slack'] as const;

/** One past run, in the form that was asked for. */
export const report: Command<ReportOptions> = async (context, { run, format = 'text' }) => {
  const { stateDir } = await load(context);
  const wanted = FORMATS.find((each) => each === format);
  if (!wanted) {
    throw new Fault('usage.format', `"${format}" is no format of a report.`, {
      hint: `One of: ${FORMATS.join(', ')}.`,
      exitCode: EXIT.usage,
    });
  }
  const states = allRuns(stateDir);
  const documents = documentsOf(states);
  const doc = run === 'last' ? documents.at(-1) : documents.find(({ runId }) => runId === run);
  if (!doc)
    throw unknownRun(
      run,
      documents.map(({ runId }) => runId),
    );
  const { timeline = [] } = states.find(({ runId }) => runId === doc.runId) ?? {};
  const { stdout } = context.world;
  const forms = {
    text: () => runText(doc, { color: context.color, columns: stdout.columns }),
    json: () => `${JSON.stringify(doc, null, 2)}\n`,
    markdown: () => markdownReport(doc, timeline),
    html: () => htmlReport(doc, timeline),
    slack: () => `${JSON.stringify(slackMessage(doc), null, 2)}\n`,
  };
  stdout.write(context.options.json ? forms.json() : forms[wanted]());
  return EXIT.done;
};

function unknownRun(run: string, known: readonly string[]): Fault {
  const near = nearest(run, known);
  const latest = known.slice(-5).reverse().join(', ');
  return new Fault('usage.unknown-run', `There is no run "${run}" in the state directory.`, {
    hint: near
      ? `Did you mean "${near}"?`
      : known.length === 0
        ? 'There is none at all yet.'
        : `The latest: ${latest}. All of them: pbs-ctl history`,
    exitCode: EXIT.usage,
  });
}
