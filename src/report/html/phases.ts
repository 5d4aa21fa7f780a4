import type { PhaseTime, RunDocument } from '../document.js';
import { type PhaseBar, phaseBars } from '../phase-bars.js';
import { spanWords } from '../summary.js';
import { html, type Markup, NOTHING } from './markup.js';

/** The phases as a list of bars, each with its time in words beside it. */
export function phases(timeline: readonly PhaseTime[], { finishedAt }: RunDocument): Markup {
  const rows = phaseBars(timeline, finishedAt);
  if (rows.length === 0) return NOTHING;
  return html`<ol class="phases">
${rows.map((row) => (row.kind === 'gap' ? html`<li class="gap">cut off; gone on with ${spanWords(row.ms)} later</li>` : bar(row)))}
</ol>`;
}

function bar({ phase, status, left, width, tookMs }: PhaseBar): Markup {
  const tone = status === 'done' ? 'good' : status === 'skipped' ? 'quiet' : 'bad';
  return html`<li><span class="name">${phase}</span><span class="track"><i class="${tone}" style="left:${left.toFixed(2)}%;width:${width.toFixed(2)}%"></i></span><span class="took">${took(status, tookMs)}</span></li>`;
}

function took(status: PhaseBar['status'], ms: number | null): string {
  if (status === 'skipped') return 'skipped';
  if (ms === null) return 'not ended';
  return status === 'done' ? spanWords(ms) : `${status}, ${spanWords(ms)}`;
}
