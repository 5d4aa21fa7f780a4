import type { PhaseTime, RunDocument } from '../journal/document.js';
import { utcMoment } from '../moment.js';
import { datastores } from './html-datastores.js';
import { facts } from './html-facts.js';
import { packages } from './html-packages.js';
import { phases } from './html-phases.js';
import { STYLE } from './html-style.js';
import { html, type Markup, NOTHING } from './html-tag.js';
import { nextStep } from './next-step.js';
import { OUTCOME } from './outcome.js';
import { durationWords, postponedWords, troubles } from './summary.js';

/**
 * A run as one file: outcome first, no script, nothing to load. The policy in its head forbids both, so
 * that the file stays harmless even where something slipped through. Pure.
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
<p class="when">${utcMoment(doc.startedAt)}, ${durationWords(doc)}, run ${doc.runId}${doc.resumed ? ', went on with an earlier run' : ''}</p>
${why(doc)}
</header>
<main>
${facts(doc)}
${section('Phases', phases(timeline, doc))}
${section('Datastores', datastores(doc))}
${section('Checks', checks(doc))}
${section('Packages', packages(doc))}
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

/** What an operator should read stands first; the others follow, since a report is also a proof. */
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

const warnings = ({ warnings: texts }: RunDocument): Markup =>
  texts.length === 0 ? NOTHING : html`<ul>${texts.map((each) => html`<li>${each}</li>`)}</ul>`;

const section = (title: string, body: Markup): Markup =>
  body === NOTHING
    ? NOTHING
    : html`<section><h2>${title}</h2>
${body}</section>`;
