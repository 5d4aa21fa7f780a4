import type { PhaseTime, RunDocument } from '../journal/document.js';
import { html, type Markup, NOTHING } from './html-tag.js';
import { OUTCOME } from './outcome.js';
import { type PhaseBar, phaseBars } from './phase-bars.js';
import { phaseWords, spanWords } from './summary.js';

/** The phases as a list of bars, each with its time in words beside it. */
export function phases(timeline: readonly PhaseTime[], doc: RunDocument): Markup {
  const rows = phaseBars(timeline, doc.finishedAt);
  if (rows.length === 0) return NOTHING;
  return html`<ol class="phases">
${rows.map((row) => (row.kind === 'gap' ? html`<li class="gap">cut off; gone on with ${spanWords(row.ms)} later</li>` : bar(row, doc)))}
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
