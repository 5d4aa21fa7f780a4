import { formatDuration, formatSize } from '../config/quantity.js';
import type { DatastoreState, PhaseTime, RunDocument } from './document.js';
import { TONE } from './history-text.js';
import { STYLE } from './html-style.js';
import { nextStep } from './next-step.js';
import {
  change,
  datastoresBack,
  downtimeOf,
  durationOf,
  leftBehindLines,
  packageCounts,
  packageLines,
  troubles,
  utcTime,
} from './summary.js';

/** A run as one file: no script, nothing to load. Outcome first. Pure. */
export function htmlReport(doc: RunDocument, timeline: readonly PhaseTime[]): string {
  const title = `${doc.host}: ${doc.outcome}`;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>${text(title)}</title>
<style>${STYLE}</style>
</head>
<body>
<header class="${TONE[doc.outcome]}">
<p class="host">${text(doc.host)}</p>
<h1>${text(doc.outcome)}</h1>
<p class="when">${text(utcTime(doc.startedAt))} · ${text(formatDuration(durationOf(doc)))} · run ${text(doc.runId)}${doc.resumed ? ' · resumed' : ''}</p>
${reason(doc)}
</header>
<main>
${facts(doc)}
${section('Phases', phases(timeline))}
${section('Datastores', datastores(doc))}
${section('Checks that warned or blocked', checks(doc))}
${section(`Packages: ${packageCounts(doc)}`, packages(doc))}
${section('Warnings', list(doc.warnings))}
</main>
<footer>pbs-ctl, all times in UTC</footer>
</body>
</html>
`;
}

function reason(doc: RunDocument): string {
  const { error } = doc;
  const step = nextStep(doc);
  return [
    error
      ? `<p class="reason">${text(error.message)}</p>${error.hint ? `<p>${text(error.hint)}</p>` : ''}`
      : '',
    doc.retryAfter ? `<p>Expected to be safe from ${text(utcTime(doc.retryAfter))}.</p>` : '',
    step ? `<p>${text(step.why)}</p><pre>${text(step.command)}</pre>` : '',
  ].join('');
}

function facts(doc: RunDocument): string {
  const { before, after, reboot } = doc;
  const downtime = downtimeOf(doc);
  const back = datastoresBack(doc);
  const behind = leftBehindLines(doc);
  const rows: Array<[string, string]> = [
    ...(before
      ? ([
          ['Version', change(before.version, after?.version, '→')],
          ['Kernel', change(before.kernel, after?.kernel, '→')],
        ] as Array<[string, string]>)
      : []),
    ['Downtime', downtime === null ? (reboot ? 'not seen back' : 'no reboot') : formatDuration(downtime)],
    ...(back ? ([['Datastores', `${back.back} of ${back.of} back`]] as Array<[string, string]>) : []),
    ['Left behind', behind.length === 0 ? 'nothing' : behind.join(', ')],
    ...(reboot
      ? ([
          ['Reboot asked for', utcTime(reboot.requestedAt)],
          ['Back', reboot.upAt ? utcTime(reboot.upAt) : 'not seen'],
        ] as Array<[string, string]>)
      : []),
  ];
  return `<dl>${rows.map(([name, value]) => `<div><dt>${text(name)}</dt><dd>${text(value)}</dd></div>`).join('')}</dl>`;
}

function phases(timeline: readonly PhaseTime[]): string {
  const times = timeline.flatMap(({ begunAt, endedAt }) => [
    Date.parse(begunAt),
    Date.parse(endedAt ?? begunAt),
  ]);
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const share = (from: number) => ((from - first) / Math.max(1, last - first)) * 100;
  const rows = timeline
    .filter(({ phase }) => phase !== 'report')
    .map(({ phase, status, begunAt, endedAt }) => {
      const [from, to] = [Date.parse(begunAt), Date.parse(endedAt ?? begunAt)];
      const width = Math.max(0.6, share(to) - share(from));
      const bar = `<i class="${status === 'failed' || endedAt === null ? 'bad' : 'good'}" style="margin-left:${Math.min(99, share(from)).toFixed(2)}%;width:${width.toFixed(2)}%"></i>`;
      return `<tr><th>${text(phase)}</th><td class="bar">${bar}</td><td>${endedAt === null ? 'not ended' : text(formatDuration(to - from))}</td></tr>`;
    });
  return rows.length === 0 ? '' : `<table class="phases">${rows.join('')}</table>`;
}

function datastores({ before, after }: RunDocument): string {
  const now = (after ?? before)?.datastores ?? [];
  const rows = now.map((each) => {
    const old = after ? before?.datastores.find(({ name }) => name === each.name) : undefined;
    return `<tr><th>${text(each.name)}</th><td class="bar">${old ? usage(old) : ''}${usage(each)}</td><td class="${each.state === 'ok' ? '' : 'bad'}">${text(each.state)}${each.total && each.used !== null ? `, ${text(formatSize(each.used))} of ${text(formatSize(each.total))}` : ''}</td></tr>`;
  });
  return rows.length === 0 ? '' : `<table>${rows.join('')}</table>`;
}

function usage({ total, used }: DatastoreState): string {
  if (total === null || used === null || total <= 0) return '';
  const percent = Math.min(100, (used / total) * 100);
  return `<u title="${percent.toFixed(0)} % used"><i class="${percent > 90 ? 'bad' : 'good'}" style="width:${percent.toFixed(1)}%"></i></u>`;
}

const checks = (doc: RunDocument): string => {
  const rows = troubles(doc.checks).map(
    ({ id, status, summary }) =>
      `<tr><th><code>${text(id)}</code></th><td class="${status === 'block' ? 'bad' : 'careful'}">${status}</td><td>${text(summary)}</td></tr>`,
  );
  return rows.length === 0 ? '' : `<table>${rows.join('')}</table>`;
};

const packages = (doc: RunDocument): string => list(packageLines(doc.packages, '→'), 'packages');

const list = (lines: readonly string[], kind = ''): string =>
  lines.length === 0
    ? ''
    : `<ul class="${kind}">${lines.map((line) => `<li>${text(line)}</li>`).join('')}</ul>`;

const section = (title: string, body: string): string =>
  body === '' ? '' : `<section><h2>${text(title)}</h2>${body}</section>`;

const ENTITY: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
};
/** As text and as a value of an attribute; control characters are left out. */
const text = (raw: string): string =>
  raw.replace(/[&<>"']/g, (letter) => ENTITY[letter] ?? letter).replace(/\p{Cc}/gu, ' ');
