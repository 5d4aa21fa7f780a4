import { formatSize } from '../config/quantity.js';
import type { DatastoreState, RunDocument } from '../journal/document.js';
import { html, type Markup, NOTHING } from './html-tag.js';
import { type DatastoreChange, datastoreChanges } from './summary.js';

/** From here on a datastore is worth a second look, in percent. */
const NEARLY_FULL = 90;

/** Every datastore of before and after, with how full it was at both times. */
export function datastores(doc: RunDocument): Markup {
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
