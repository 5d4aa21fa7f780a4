import { formatDuration, formatSize } from '../config/quantity.js';
import type { PhaseTime, RunDocument } from './document.js';
import { oneLine } from './layout.js';
import { nextStep } from './next-step.js';
import {
  change,
  downtimeOf,
  durationOf,
  leftBehindLines,
  packageCounts,
  packageLines,
  troubles,
  utcTime,
} from './summary.js';

/** A run as Markdown, for tickets and wikis. Pure. */
export function markdownReport(doc: RunDocument, timeline: readonly PhaseTime[]): string {
  const { before, after, reboot, error } = doc;
  const step = nextStep(doc);
  const downtime = downtimeOf(doc);
  const behind = leftBehindLines(doc);
  const facts: Array<[string, string]> = [
    ['Run', `${doc.runId}, ${utcTime(doc.startedAt)}, ${formatDuration(durationOf(doc))}`],
    ...(before
      ? ([
          ['Version', change(before.version, after?.version, '→')],
          ['Kernel', change(before.kernel, after?.kernel, '→')],
        ] as Array<[string, string]>)
      : []),
    ['Packages', packageCounts(doc)],
    [
      'Reboot',
      reboot
        ? `asked for ${utcTime(reboot.requestedAt)}${downtime === null ? ', not seen back' : `, away for ${formatDuration(downtime)}`}`
        : 'none',
    ],
    ['Left behind', behind.length === 0 ? 'nothing' : behind.join('; ')],
  ];
  return [
    `# ${plain(doc.host)}: ${doc.outcome}`,
    ...(error ? ['', `**${plain(error.message)}**${error.hint ? ` ${plain(error.hint)}` : ''}`] : []),
    ...(step ? ['', `${plain(step.why)}`, '', `    ${step.command}`] : []),
    '',
    ...table(['', ''], facts),
    ...section(
      'Checks',
      troubles(doc.checks).map(({ id, status, summary }) => `- \`${id}\` ${status}: ${plain(summary)}`),
    ),
    ...section(
      'Datastores',
      (after ?? before)?.datastores.map(
        ({ name, state, total, used }) =>
          `- ${plain(name)}: ${plain(state)}${total && used !== null ? `, ${formatSize(used)} of ${formatSize(total)}` : ''}`,
      ) ?? [],
    ),
    ...section(
      'Packages',
      packageLines(doc.packages, '→').map((line) => `- ${plain(line)}`),
    ),
    ...section(
      'Phases',
      timeline.map(
        ({ phase, status, begunAt, endedAt }) =>
          `- ${phase}: ${status}${endedAt ? `, ${formatDuration(Date.parse(endedAt) - Date.parse(begunAt))}` : ''}`,
      ),
    ),
    ...section(
      'Warnings',
      doc.warnings.map((text) => `- ${plain(text)}`),
    ),
    '',
  ].join('\n');
}

const section = (title: string, lines: readonly string[]) =>
  lines.length === 0 ? [] : ['', `## ${title}`, '', ...lines];

const table = (head: readonly [string, string], rows: ReadonlyArray<readonly [string, string]>) => [
  `| ${head.join(' | ')} |`,
  '|---|---|',
  ...rows.map(([name, value]) => `| ${name} | ${plain(value).replaceAll('|', '\\|')} |`),
];

/** One line in which nothing is read as markup. */
const plain = (text: string) => oneLine(text).replace(/([\\`*_[\]<>])/g, '\\$1');
