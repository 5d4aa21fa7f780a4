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

export const report: Command<ReportOptions> = async (context, { run, format, host }) => {
  const { config, stateDir } = await load(context);
  const { runs: states, damaged } = readRuns(stateDir);
  const broken = damaged.find(({ runId }) => runId === run);
  if (broken) throw broken.error;
  const all = documentsOf(states);
  const documents = all.filter((doc) => !host?.length || host.includes(doc.host));
  const doc = run === 'last' ? documents.at(-1) : documents.find(({ runId }) => runId === run);
  if (!doc) throw unknownRun(run, host ?? [], all, Object.keys(config.hosts));
  const { timeline = [], ended = null } = states.find(({ runId }) => runId === doc.runId) ?? {};
  const { stdout, stderr } = context.world;
  if (!ended && !context.options.quiet && (await workingOn(stateDir, doc.host, context.world)) !== null)
    stderr.write('This run is still under way; this is how far it got.\n');
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

function unknownRun(
  run: string,
  hosts: readonly string[],
  documents: readonly RunDocument[],
  known: readonly string[],
): Fault {
  const of = hosts.length > 0 ? ` of ${hosts.join(', ')}` : '';
  const near =
    run === 'last'
      ? hosts.filter((host) => !known.includes(host)).map((host) => nearest(host, known))[0]
      : nearest(
          run,
          documents.map(({ runId }) => runId),
        );
  const latest = documents.slice(-5).map(({ runId, host, outcome }) => `${runId} (${host}, ${outcome})`);
  return new Fault(
    'usage.unknown-run',
    run === 'last' ? `There is no run${of} yet.` : `There is no run "${run}"${of} in the state directory.`,
    {
      hint: [
        ...(near ? [`Did you mean "${near}"?`] : []),
        ...(latest.length > 0 ? [`The latest: ${latest.reverse().join(', ')}.`] : []),
        'All runs:',
        'pbs-ctl history',
      ].join('\n'),
      exitCode: EXIT.usage,
    },
  );
}
