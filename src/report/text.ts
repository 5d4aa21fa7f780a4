import { formatDuration } from '../config/quantity.js';
import type { Finding, RunDocument } from '../journal/document.js';
import { localMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { fixLines } from './findings-text.js';
import {
  hintLines,
  labelled,
  type Paint,
  painter,
  type Style,
  type Tone,
  textWidth,
  wrap,
} from './layout.js';
import { nextStep } from './next-step.js';
import { datastoreLines } from './status-text.js';
import {
  datastoreChanges,
  durationOf,
  type Fact,
  OUTCOME,
  packageLines,
  postponedWords,
  type ReportFacts,
  reportFacts,
  troubles,
} from './summary.js';

/** More would push the outcome off the screen; with --check the plan is what was requested, and is shown whole. */
const PACKAGES_SHOWN = 30;

/** The report of a run for a terminal, outcome first; no line wider than `columns` unless a single word is. */
export function runText(doc: RunDocument, style: Style): string {
  const paint = painter(style.color);
  const width = textWidth(style);
  const { tone, words } = OUTCOME[doc.outcome];
  const lines = [`${paint('strong', oneLine(doc.host))}: ${paint(tone, words)}`];
  const add = (label: string, text: readonly string[], color?: Tone) =>
    lines.push(...labelled(paint, label, text, color));

  lines.push(...why(doc, width, paint));
  const inARow = postponedWords(doc, localMoment);
  if (inARow) add('postponed', wrap(inARow, width));
  if (doc.retryAfter) add('safe from', [localMoment(doc.retryAfter)]);
  if (doc.safeUntil)
    add('safe until', wrap(`${localMoment(doc.safeUntil)}, for a run that begins by then`, width));
  const facts = reportFacts(doc, '->');
  lines.push(...host(doc, facts, width, paint));
  for (const [status, label, color] of [
    ['block', 'blocked by', 'bad'],
    ['warn', 'warned', 'careful'],
  ] as const) {
    const findings = troubles(doc.checks).filter((each) => each.status === status);
    add(
      label,
      findings.flatMap((finding) => findingLines(finding, width, paint)),
      color,
    );
  }
  add(
    'accepted',
    (facts.accepted?.lines ?? []).flatMap((each) => wrap(oneLine(each), width)),
  );
  if (facts.leftBehind.bad)
    add(
      'left behind',
      facts.leftBehind.lines.flatMap((each) => wrap(each, width)),
      'bad',
    );
  // After a repair the screenshot is out of date.
  const screen = doc.outcome === 'patched' ? null : doc.screen;
  if (screen?.file) add('screen', wrap(screen.file, width));
  if (screen?.why) add(screen.file ? '' : 'screen', wrap(screen.why, width));
  add(
    'evidence',
    doc.evidence.flatMap((line) => wrap(oneLine(line), width)),
  );
  for (const text of doc.warnings) add('warning', hintLines(text, width), 'careful');
  lines.push(...next(doc, width, paint));
  add(
    'run',
    wrap(
      `${doc.runId}, ${formatDuration(durationOf(doc))}, began ${localMoment(doc.startedAt)}${doc.resumed ? ', continued an earlier run' : ''}`,
      width,
    ),
  );
  return `${lines.join('\n')}\n`;
}

/** The error, unless the checks that blocked say the same more precisely. */
function why({ error, outcome, phase }: RunDocument, width: number, paint: Paint): string[] {
  if (!error) return [];
  const where = outcome === 'failed' || outcome === 'interrupted' ? labelled(paint, 'in phase', [phase]) : [];
  const reason =
    error.code === 'not-safe' ? [] : labelled(paint, 'reason', wrap(error.message, width), 'bad');
  const hint =
    error.hint && error.code !== 'not-safe' ? labelled(paint, 'hint', hintLines(error.hint, width)) : [];
  return [...where, ...reason, ...hint];
}

function host(doc: RunDocument, facts: ReportFacts, width: number, paint: Paint): string[] {
  const lines: string[] = [];
  const add = (label: string, text: readonly string[]) => lines.push(...labelled(paint, label, text));
  const wrapped = ({ lines: all, note }: Fact) => wrap([...all, ...(note ? [note] : [])].join(', '), width);
  if (facts.version) add('version', wrapped(facts.version));
  if (facts.kernel) add('kernel', wrapped(facts.kernel));
  add('packages', [...wrapped(facts.packages), ...packages(doc, width)]);
  if (doc.planDigest && doc.mode === 'check') add('plan', [doc.planDigest]);
  add(
    'would',
    doc.would.flatMap((each) => wrap(each, width)),
  );
  const datastores = datastoreChanges(doc).map(({ name, state, ...times }) => ({
    ...((doc.after ? times.after : times.before) ?? { total: null, used: null, available: null }),
    name,
    state,
  }));
  if (datastores.length > 0)
    add('datastores', [
      ...(facts.datastores ? wrapped(facts.datastores) : [`${datastores.length}`]),
      ...datastoreLines(datastores, width, paint),
    ]);
  if (facts.inventory) add('inventory', wrapped(facts.inventory));
  if (doc.reboot) add('reboot', rebootLines(doc.reboot, facts.downtime));
  return lines;
}

function rebootLines(
  { requestedAt, downAt, upAt, byOther }: NonNullable<RunDocument['reboot']>,
  downtime: Fact,
): string[] {
  return [
    byOther
      ? `booted      ${localMoment(requestedAt)}, not at the request of this run`
      : `requested   ${localMoment(requestedAt)}`,
    `down        ${downAt ? localMoment(downAt) : 'not seen'}`,
    `back        ${upAt ? localMoment(upAt) : 'not seen'}`,
    ...(downtime.bad ? [] : [`downtime    ${downtime.lines.join(', ')}`]),
  ];
}

/** A name and its versions, on two lines where one is too narrow: versions stay whole. */
function packages(doc: RunDocument, width: number): string[] {
  const all = packageLines(doc.packages).map(oneLine);
  const shown = doc.mode === 'check' ? all : all.slice(0, PACKAGES_SHOWN);
  const parts = shown.map((line) => {
    const at = line.indexOf(' ');
    return { name: line.slice(0, at), rest: line.slice(at + 1) };
  });
  const longest = (words: readonly string[]) => Math.max(0, ...words.map((word) => word.length));
  // Leaves room for every version: a longer name only moves its own.
  const room = width - 2 - longest(parts.map(({ rest }) => rest));
  const names = Math.max(0, Math.min(34, room, longest(parts.map(({ name }) => name))));
  const lines = parts.flatMap(({ name, rest }) => {
    const joined = `${name.padEnd(names)}  ${rest}`;
    const short = `${name} ${rest}`;
    if (joined.length > width && short.length <= width) return [short];
    return joined.length <= width ? [joined] : [name, ...wrap(rest, width - 4).map((each) => `    ${each}`)];
  });
  const more = all.length - shown.length;
  const held = doc.packages.held.length > 0 ? wrap(`held back: ${doc.packages.held.join(', ')}`, width) : [];
  return [...lines, ...(more > 0 ? [`and ${more} more (--json lists them all)`] : []), ...held];
}

function findingLines({ id, summary, status, fixes = [] }: Finding, width: number, paint: Paint): string[] {
  const [first = '', ...rest] = wrap(`${id}: ${summary}`, width - 2);
  const helps = status === 'block' ? fixLines(fixes, { paint, indent: 2 }) : [];
  return [first, ...rest.map((line) => `  ${line}`), ...helps];
}

function next(doc: RunDocument, width: number, paint: Paint): string[] {
  const step = nextStep(doc);
  if (!step) return [];
  const { alternative } = step;
  return labelled(paint, 'next', [
    ...wrap(step.why, width),
    `  ${paint('strong', step.command)}`,
    ...(alternative ? [...wrap(alternative.why, width), `  ${alternative.command}`] : []),
  ]);
}
