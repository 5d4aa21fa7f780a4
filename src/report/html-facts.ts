import type { RunDocument } from '../journal/document.js';
import { utcClock } from '../moment.js';
import { html, type Markup, NOTHING } from './html-tag.js';
import { change, datastoresBack, downtimeOf, leftBehindLines, packageCounts, spanWords } from './summary.js';

interface Fact {
  readonly name: string;
  readonly lines: readonly string[];
  readonly note?: string;
  readonly bad?: boolean;
}

/** What most readers came for, as cards. */
export function facts(doc: RunDocument): Markup {
  const { before, after } = doc;
  const behind = leftBehindLines(doc);
  const all: Fact[] = [
    ...(before
      ? [
          { name: 'Version', lines: [change(before.version, after?.version, '→')] },
          { name: 'Kernel', lines: [change(before.kernel, after?.kernel, '→')] },
        ]
      : []),
    { name: 'Packages', lines: [packageCounts(doc)] },
    downtime(doc),
    ...back(doc),
    { name: 'Left behind', lines: behind.length === 0 ? ['nothing'] : behind, bad: behind.length > 0 },
  ];
  return html`<dl class="facts">
${all.map(fact)}
</dl>`;
}

const fact = ({ name, lines, note, bad }: Fact): Markup =>
  html`<div class="${bad ? 'bad' : ''}"><dt>${name}</dt>${lines.map((line) => html`<dd>${line}</dd>`)}${note ? html`<dd class="note">${note}</dd>` : NOTHING}</div>`;

function downtime(doc: RunDocument): Fact {
  const { reboot } = doc;
  if (!reboot) return { name: 'Downtime', lines: ['no reboot'] };
  const ms = downtimeOf(doc);
  const moment = (iso: string | null) => (iso ? utcClock(iso) : 'not seen');
  return {
    name: 'Downtime',
    lines: [ms === null ? 'not seen back' : spanWords(ms)],
    note: `asked ${moment(reboot.requestedAt)}, down ${moment(reboot.downAt)}, back ${moment(reboot.upAt)}`,
    bad: ms === null,
  };
}

function back(doc: RunDocument): Fact[] {
  const found = datastoresBack(doc);
  if (!found) return [];
  const { back: there, of, missing } = found;
  return [
    {
      name: 'Datastores',
      lines: [`${there} of ${of} back`],
      ...(missing.length > 0 ? { note: `not back: ${missing.join(', ')}`, bad: true } : {}),
    },
  ];
}
