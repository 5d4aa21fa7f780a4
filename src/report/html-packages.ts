import type { RunDocument } from '../journal/document.js';
import { html, type Markup, NOTHING } from './html-tag.js';

/** All of them: a report is kept for the day on which somebody asks since when a version is installed. */
export function packages({ packages: changes, mode }: RunDocument): Markup {
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
