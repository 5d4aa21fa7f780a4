import { formatSize } from '../config/quantity.js';
import type { DatastoreState, PhaseTime, RunDocument } from '../journal/document.js';
import { utcMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { nextStep } from './next-step.js';
import {
  datastoreChanges,
  durationWords,
  factList,
  OUTCOME,
  packageLines,
  phaseWords,
  postponedWords,
  reportFacts,
  troubles,
} from './summary.js';

/** A run as Markdown, for tickets and wikis. Pure. */
export function markdownReport(doc: RunDocument, timeline: readonly PhaseTime[]): string {
  const { error, retryAfter, after } = doc;
  const step = nextStep(doc);
  const again = postponedWords(doc, utcMoment);
  return [
    `# ${plain(doc.host)}: ${OUTCOME[doc.outcome].words}`,
    ...paragraph(error && `**${plain(error.message)}** ${plain(error.hint ?? '')}`.trim()),
    ...paragraph(again && `Postponed ${again}.`),
    ...paragraph(retryAfter && `Expected to be safe from ${utcMoment(retryAfter)}.`),
    ...paragraph(step && plain(step.why)),
    ...paragraph(step && `    ${oneLine(step.command)}`),
    ...paragraph(step?.alternative && plain(step.alternative.why)),
    ...paragraph(step?.alternative && `    ${oneLine(step.alternative.command)}`),
    '',
    ...table(['', ''], facts(doc)),
    ...section(
      'Checks',
      troubles(doc.checks).map(
        ({ id, status, summary }) => `- ${plain(id)} **${status}**: ${plain(summary)}`,
      ),
    ),
    ...section(
      'Datastores',
      table(
        ['name', 'state', 'before', 'after'],
        datastoreChanges(doc).map((each) => [
          each.name,
          each.state,
          usage(each.before),
          after ? usage(each.after) : '-',
        ]),
      ),
    ),
    ...section('Packages', [
      ...packageLines(doc.packages, '→').map((line) => `- ${plain(line)}`),
      ...doc.packages.held.map((name) => `- ${plain(name)} held back`),
    ]),
    ...section(
      'Phases',
      timeline
        .filter(({ phase }) => phase !== 'report')
        .map(
          (each) =>
            `- ${each.phase}: ${phaseWords(each.status, each.endedAt === null ? null : Date.parse(each.endedAt) - Date.parse(each.begunAt), doc)}`,
        ),
    ),
    ...section(
      'Evidence',
      doc.evidence.map((line) => `    ${oneLine(line)}`),
    ),
    ...section(
      'Warnings',
      doc.warnings.map((text) => `- ${plain(text)}`),
    ),
    '',
  ].join('\n');
}

function facts(doc: RunDocument): string[][] {
  return [
    ['Run', `${doc.runId}, ${utcMoment(doc.startedAt)}, ${durationWords(doc)}`],
    ...factList(reportFacts(doc)).map(({ label, lines, note }) => [
      label,
      `${lines.join('; ')}${note ? ` (${note})` : ''}`,
    ]),
  ];
}

function usage(at: DatastoreState | null): string {
  if (!at) return 'not there';
  if (at.total === null || at.used === null || at.total <= 0) return 'not known';
  return `${formatSize(at.used)} of ${formatSize(at.total)}, ${Math.round((at.used / at.total) * 100)} %`;
}

const paragraph = (text: string | null | undefined) => (text ? ['', text] : []);

const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];

const table = (head: readonly string[], rows: ReadonlyArray<readonly string[]>) =>
  rows.length === 0
    ? []
    : [
        `| ${head.join(' | ')} |`,
        `|${'---|'.repeat(head.length)}`,
        ...rows.map((cells) => `| ${cells.map(plain).join(' | ')} |`),
      ];

/**
 * One line without markup. Escapes "~" too: GitHub strikes out text between two of them, and Debian's
 * versions are full of them.
 */
const plain = (text: string) => oneLine(text).replace(/[\\`*_[\]<>&|~#!]/g, '\\$&');
