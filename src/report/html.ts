import { formatSize } from '../config/quantity.js';
import type { DatastoreState, PhaseTime, RunDocument } from '../journal/document.js';
import { utcMoment } from '../moment.js';
import { html, type Markup, NOTHING, STYLE } from './html-markup.js';
import { nextStep } from './next-step.js';
import { type PhaseBar, phaseBars } from './phase-bars.js';
import {
  type DatastoreChange,
  datastoreChanges,
  durationWords,
  type Fact,
  factList,
  OUTCOME,
  phaseWords,
  postponedWords,
  reportFacts,
  spanWords,
  troubles,
} from './summary.js';

/**
 * A run as one file: outcome first, no script, nothing to load. The policy in its head forbids both, should
 * any markup slip through. Pure.
 */
export function htmlReport(doc: RunDocument, timeline: readonly PhaseTime[]): string {
  const { tone, words } = OUTCOME[doc.outcome];
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${doc.host}: ${doc.outcome}</title>
${STYLE}
</head>
<body>
<header class="${tone}">
<p class="host">${doc.host}</p>
<h1>${words}</h1>
<p class="when">${utcMoment(doc.startedAt)}, ${durationWords(doc)}, run ${doc.runId}${doc.resumed ? ', continued an earlier run' : ''}</p>
${why(doc)}
</header>
<main>
${facts(doc)}
${section('Phases', phases(timeline, doc))}
${section('Datastores', datastores(doc))}
${section('Checks', checks(doc))}
${section('Packages', packages(doc))}
${section('Evidence', evidence(doc))}
${section('Warnings', warnings(doc))}
</main>
<footer>pbs-ctl. All times in UTC.</footer>
</body>
</html>
`.text;
}

function why(doc: RunDocument): Markup {
  const { error, retryAfter } = doc;
  const step = nextStep(doc);
  const again = postponedWords(doc, utcMoment);
  return html`${error ? html`<p class="reason">${error.message}</p>` : NOTHING}
${error?.hint ? html`<p>${error.hint}</p>` : NOTHING}
${again ? html`<p>Postponed ${again}.</p>` : NOTHING}
${retryAfter ? html`<p>Expected to be safe from ${utcMoment(retryAfter)}.</p>` : NOTHING}
${step ? html`<p>${step.why}</p><pre>${step.command}</pre>` : NOTHING}
${step?.alternative ? html`<p>${step.alternative.why}</p><pre>${step.alternative.command}</pre>` : NOTHING}`;
}

const facts = (doc: RunDocument): Markup => html`<dl class="facts">
${factList(reportFacts(doc)).map(fact)}
</dl>`;

const fact = ({ label, lines, note, bad }: Fact): Markup =>
  html`<div class="${bad ? 'bad' : ''}"><dt>${label}</dt>${lines.map((line) => html`<dd>${line}</dd>`)}${note ? html`<dd class="note">${note}</dd>` : NOTHING}</div>`;

function phases(timeline: readonly PhaseTime[], doc: RunDocument): Markup {
  const rows = phaseBars(timeline, doc.finishedAt);
  if (rows.length === 0) return NOTHING;
  return html`<ol class="phases">
${rows.map((row) => (row.kind === 'gap' ? html`<li class="gap">cut off; continued ${spanWords(row.ms)} later</li>` : bar(row, doc)))}
</ol>`;
}

function bar({ phase, status, left, width, tookMs }: PhaseBar, doc: RunDocument): Markup {
  return html`<li><span class="name">${phase}</span><span class="track"><i class="${toneOf(status, doc)}" style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></i></span><span class="took">${phaseWords(status, tookMs, doc)}</span></li>`;
}

/** A phase in which the run ended has the colour of its outcome. */
function toneOf(status: PhaseBar['status'], { outcome }: RunDocument): string {
  if (status === 'done') return 'good';
  return status === 'skipped' ? 'quiet' : OUTCOME[outcome].tone === 'careful' ? 'careful' : 'bad';
}

/** A datastore above this is marked, in percent. */
const NEARLY_FULL = 90;

function datastores(doc: RunDocument): Markup {
  const changes = datastoreChanges(doc);
  if (changes.length === 0) return NOTHING;
  return html`<ul class="datastores">
${changes.map((change) => datastore(change, doc.after !== null))}
</ul>`;
}

function datastore({ name, state, before, after }: DatastoreChange, cameThatFar: boolean): Markup {
  const times: Array<[string, DatastoreState | null]> = [
    ['before', before],
    ...(cameThatFar ? ([['after', after]] as Array<[string, DatastoreState | null]>) : []),
  ];
  return html`<li><p><b>${name}</b> <span class="state ${state === 'ok' ? 'good' : 'bad'}">${state}</span></p>
${times.map(([label, at]) => usage(label, at))}</li>`;
}

function usage(label: string, at: DatastoreState | null): Markup {
  const words = at === null ? 'not there' : 'usage not known';
  if (at === null || at.total === null || at.used === null || at.total <= 0) {
    return html`<div class="usage"><span>${label}</span><span class="none">${words}</span></div>`;
  }
  const percent = Math.min(100, Math.max(0, (at.used / at.total) * 100));
  return html`<div class="usage"><span>${label}</span><span class="track full"><i class="${percent > NEARLY_FULL ? 'careful' : 'used'}" style="width:${percent.toFixed(2)}%"></i></span><span class="took">${formatSize(at.used)} of ${formatSize(at.total)}, ${percent.toFixed(0)} %</span></div>`;
}

/** Troubles first. The others are listed too, since a report is also a record. */
function checks({ checks: all }: RunDocument): Markup {
  const read = troubles(all);
  const rows = [...read, ...all.filter((each) => !read.includes(each))];
  if (rows.length === 0) return NOTHING;
  return html`<ul class="checks">
${rows.map(
  ({ id, status, summary }) =>
    html`<li class="${status}"><span class="status">${status}</span><code>${id}</code><span class="seen">${summary}</span></li>`,
)}
</ul>`;
}

const evidence = ({ evidence: lines }: RunDocument): Markup =>
  lines.length === 0 ? NOTHING : html`<ul>${lines.map((line) => html`<li><code>${line}</code></li>`)}</ul>`;

const warnings = ({ warnings: texts }: RunDocument): Markup =>
  texts.length === 0 ? NOTHING : html`<ul>${texts.map((each) => html`<li>${each}</li>`)}</ul>`;

/** All of them: a report also answers since when a version is installed. */
function packages({ packages: changes, mode }: RunDocument): Markup {
  const { removed, installed, upgraded, held } = changes;
  const check = mode === 'check';
  const groups = [
    group(
      check ? 'To remove' : 'Removed',
      removed.map(({ name, from }) => item(name, from)),
    ),
    group(
      'New',
      installed.map(({ name, to }) => item(name, to)),
    ),
    group(
      check ? 'To upgrade' : 'Upgraded',
      upgraded.map(({ name, from, to }) => item(name, `${from} → ${to}`)),
    ),
    group(
      'Held back',
      held.map((name) => item(name, '')),
    ),
  ].filter((each) => each !== NOTHING);
  return groups.length === 0 ? NOTHING : html`${groups}`;
}

const group = (title: string, items: readonly Markup[]): Markup =>
  items.length === 0
    ? NOTHING
    : html`<h3>${title} (${items.length})</h3><ul class="packages">
${items}
</ul>`;

const item = (name: string, versions: string): Markup =>
  html`<li><b>${name}</b> <span>${versions}</span></li>`;

const section = (title: string, body: Markup): Markup =>
  body === NOTHING
    ? NOTHING
    : html`<section><h2>${title}</h2>
${body}</section>`;
