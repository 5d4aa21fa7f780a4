import type { IncomingWebhookSendArguments } from '@slack/webhook';
import { formatDuration } from '../config/quantity.js';
import type { Outcome } from '../config/schema.js';
import type { RunDocument } from '../journal/document.js';
import { utcMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { nextStep } from './next-step.js';
import { durationOf, factList, packageLines, reportFacts, troubles } from './summary.js';

/** Limits of Block Kit in characters, and how many of a thing are worth a reader's time. */
const LIMIT = { header: 150, section: 3000, field: 2000, fields: 10, context: 2000, fallback: 1000 } as const;
const PACKAGES_SHOWN = 15;
const CHECKS_SHOWN = 8;
const LINES_SHOWN = 10;
const EVIDENCE_SHOWN = 12;

const SIGN: Readonly<Record<Outcome, string>> = {
  patched: '✅',
  checked: '✅',
  postponed: '⏳',
  'reboot-pending': '⏳',
  failed: '🛑',
  unverified: '🛑',
  interrupted: '⚠️',
  abandoned: '⚠️',
};

type Sendable = NonNullable<IncomingWebhookSendArguments['blocks']>[number];
type SectionBlock = Extract<Sendable, { type: 'section' }>;
type ContextBlock = Extract<Sendable, { type: 'context' }>;
type HeaderBlock = Extract<Sendable, { type: 'header' }>;
type Block = HeaderBlock | SectionBlock | ContextBlock;
type MrkdwnElement = Extract<ContextBlock['elements'][number], { type: 'mrkdwn' }>;

interface SlackMessage {
  /** For notifications and clients without blocks. */
  readonly text: string;
  readonly blocks: Block[];
}

/**
 * A run in Block Kit, in the order in which an operator reads: outcome and host; what changed and what
 * was left behind; the next command; why it was postponed and until when; run id and duration. Pure.
 */
export function slackMessage(doc: RunDocument): SlackMessage {
  const count = doc.postponements.count + 1;
  const title = `${doc.host}: ${doc.outcome}${doc.outcome === 'postponed' && count > 1 ? ` (${count} times in a row)` : ''}`;
  const blocks: Block[] = [
    header(`${SIGN[doc.outcome]} ${title}`),
    ...reason(doc),
    ...evidence(doc),
    fields(doc),
    ...packages(doc),
    ...next(doc),
    ...findings(doc),
    ...warnings(doc),
    context(`run ${doc.runId}, ${formatDuration(durationOf(doc))}`),
  ];
  return { text: escaped(fallback(doc, title), LIMIT.fallback), blocks };
}

function fallback(doc: RunDocument, title: string): string {
  const why = doc.error ? `: ${doc.error.message}` : '';
  const step = nextStep(doc);
  return `${title}${why}${step ? ` Next: ${step.command}` : ''}`;
}

/** The checks say more precisely than the error why a run was postponed. */
function reason({ error }: RunDocument): Block[] {
  if (!error || error.code === 'not-safe') return [];
  return [section(cutList([error.message, ...(error.hint ? [error.hint] : [])], 2))];
}

function evidence({ evidence: lines }: RunDocument): Block[] {
  return lines.length === 0 ? [] : [section(cutList(lines, EVIDENCE_SHOWN))];
}

function fields(doc: RunDocument): SectionBlock {
  return {
    type: 'section',
    fields: factList(reportFacts(doc))
      .slice(0, LIMIT.fields)
      .map(({ label, lines, note, bad }) => {
        const all = bad && note ? [...lines, note] : lines;
        return mrkdwn(`*${label}*\n${escapedLines(cutList(all, LINES_SHOWN), LIMIT.field - 40)}`);
      }),
  };
}

function packages({ packages: changes }: RunDocument): Block[] {
  const all = packageLines(changes, '→');
  if (all.length === 0) return [];
  return [section(cutList(all, PACKAGES_SHOWN))];
}

function next(doc: RunDocument): Block[] {
  const step = nextStep(doc);
  if (!step) return [];
  const { alternative } = step;
  return [
    formatted([
      `*Next*: ${escaped(step.why, 600)}`,
      `\`${escaped(step.command, 600)}\``,
      ...(alternative ? [`${escaped(alternative.why, 600)} \`${escaped(alternative.command, 600)}\``] : []),
    ]),
  ];
}

function findings(doc: RunDocument): Block[] {
  const found = troubles(doc.checks);
  const again = doc.retryAfter
    ? [`*Expected to be safe from* ${escaped(utcMoment(doc.retryAfter), 100)}`]
    : [];
  const unknown =
    doc.outcome === 'postponed' && !doc.retryAfter ? ['*It is not known when it will be safe*'] : [];
  const lines = found
    .slice(0, CHECKS_SHOWN)
    .map(
      ({ id, status, summary }) =>
        `*${status === 'block' ? 'Blocked by' : 'Warned'}* ${escaped(oneLine(`${id}: ${summary}`), 300)}`,
    );
  const more = found.length > CHECKS_SHOWN ? [`and ${found.length - CHECKS_SHOWN} more`] : [];
  const all = [...lines, ...more, ...again, ...unknown];
  return all.length > 0 ? [formatted(all)] : [];
}

const warnings = ({ warnings: texts }: RunDocument): Block[] =>
  texts.length > 0
    ? [
        section(
          cutList(
            texts.map((text) => `⚠️ ${text}`),
            5,
          ),
        ),
      ]
    : [];

/** As many lines as fit, and how many did not. A line break in a name does not count as one. */
function cutList(lines: readonly string[], limit: number): string {
  const shown = lines.slice(0, limit).map(oneLine);
  const more = lines.length - shown.length;
  return [...shown, ...(more > 0 ? [`… and ${more} more`] : [])].join('\n');
}

const mrkdwn = (text: string): MrkdwnElement => ({ type: 'mrkdwn', text });
const section = (raw: string): SectionBlock => ({
  type: 'section',
  text: mrkdwn(escapedLines(raw, LIMIT.section)),
});
/** For lines that are already escaped and cut. */
const formatted = (lines: readonly string[]): SectionBlock => ({
  type: 'section',
  text: mrkdwn(lines.join('\n')),
});
const context = (raw: string): ContextBlock => ({
  type: 'context',
  elements: [mrkdwn(escaped(raw, LIMIT.context))],
});
const header = (raw: string): HeaderBlock => ({
  type: 'header',
  text: { type: 'plain_text', text: cut(oneLine(raw), LIMIT.header, (letter) => letter), emoji: true },
});

const ENTITY: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };

/**
 * Escaped for Slack and no longer than the limit afterwards, so that no entity is cut in two. One line:
 * only {@link cutList} makes several.
 */
export const escaped = (text: string, limit: number): string => escapedLines(oneLine(text), limit);
const escapedLines = (text: string, limit: number): string =>
  cut(text, limit, (letter) => ENTITY[letter] ?? letter);

function cut(text: string, limit: number, written: (letter: string) => string): string {
  let all = '';
  let fitting = '';
  for (const letter of text) {
    all += written(letter);
    if (all.length <= limit - 1) fitting = all;
    if (all.length > limit) return `${fitting}…`;
  }
  return all;
}
