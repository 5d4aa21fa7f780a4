import { styleText } from 'node:util';
import { formatDuration, formatSize } from '../config/quantity.js';
import type { Finding, HostStatus, RunDocument } from './document.js';

interface Style {
  readonly color: boolean;
  readonly columns: number;
}

const COLOR = { pass: 'green', skip: 'gray', warn: 'yellow', block: 'red' } as const;

/** The summary of a run, outcome first. */
export function runText(doc: RunDocument, { color }: Style): string {
  const good = ['patched', 'checked', 'abandoned'].includes(doc.outcome);
  const outcome = color ? styleText(good ? 'green' : 'yellow', doc.outcome) : doc.outcome;
  const lines = [`${doc.host}: ${outcome}`];
  const add = (label: string, text: string) => lines.push(`  ${label.padEnd(11)} ${text}`);
  if (doc.error) add('reason', doc.error.message);
  if (doc.error?.hint) add('next', doc.error.hint);
  if (doc.retryAfter) add('safe from', doc.retryAfter);
  if (doc.before) {
    add('version', change(doc.before.version, doc.after?.version));
    add('kernel', change(doc.before.kernel, doc.after?.kernel));
  }
  const { upgraded, installed, removed, held } = doc.packages;
  add(
    'packages',
    `${upgraded.length} upgraded, ${installed.length} installed, ${removed.length} removed, ${held.length} held`,
  );
  for (const { name, from, to } of upgraded) lines.push(`    ${name} ${from} -> ${to}`);
  for (const { name, to } of installed) lines.push(`    ${name} ${to} (new)`);
  if (doc.planDigest && doc.mode === 'check') add('plan', doc.planDigest);
  for (const { name, state, used, total } of doc.after?.datastores ?? doc.before?.datastores ?? []) {
    add(
      'datastore',
      `${name} ${state}${used === null || total === null ? '' : `, ${formatSize(used)} of ${formatSize(total)}`}`,
    );
  }
  if (doc.reboot) {
    const { requestedAt, upAt } = doc.reboot;
    const took = upAt
      ? `back after ${formatDuration(Date.parse(upAt) - Date.parse(requestedAt))}`
      : 'not seen back';
    add('reboot', `asked for at ${requestedAt}, ${took}`);
  }
  for (const { id, status, summary } of doc.checks)
    if (status === 'warn' || status === 'block') add(status, `${id}: ${summary}`);
  for (const text of doc.warnings) add('warning', text);
  const { fenced, locks } = doc.leftBehind;
  if (fenced.length + locks.length > 0)
    add(
      'left behind',
      [...fenced.map((name) => `fence on ${name}`), ...locks.map((name) => `lock in ${name}`)].join(', '),
    );
  add('run', `${doc.runId}, ${formatDuration(Date.parse(doc.finishedAt) - Date.parse(doc.startedAt))}`);
  return `${lines.join('\n')}\n`;
}

const change = (from: string, to: string | undefined) =>
  to === undefined || to === from ? from : `${from} -> ${to}`;

/** Findings as an aligned table. */
export function findingsText(
  host: string,
  findings: readonly Finding[],
  { color, retryAfter }: Style & { retryAfter: string | null },
): string {
  const width = Math.max(0, ...findings.map(({ id }) => id.length));
  const lines = findings.map(({ id, status, summary }) => {
    const word = status.padEnd(5);
    return `  ${color ? styleText(COLOR[status], word) : word} ${id.padEnd(width)}  ${summary}`;
  });
  const safe = findings.every(({ status }) => status !== 'block');
  return [
    `${host}: ${safe ? 'all clear' : 'not now'}`,
    ...lines,
    ...(retryAfter ? [`  expected to be safe from ${retryAfter}`] : []),
    '',
  ].join('\n');
}

/** `status` for people: a few lines a host. */
export function statusText(hosts: readonly HostStatus[], _: Style): string {
  return hosts
    .map(({ host, reachable, version, kernel, uptimeSeconds, updates, datastores, tasks, lock, error }) => {
      if (!reachable) return `${host}: ${error?.message ?? 'not reachable'}\n`;
      return [
        `${host}: PBS ${version}, kernel ${kernel}, up ${formatDuration((uptimeSeconds ?? 0) * 1000)}`,
        `  ${updates} updates, ${tasks.length} running tasks, lock ${lock ? `held by ${lock.owner ?? 'an unreadable tag'}` : 'free'}`,
        ...datastores.map(
          ({ name, state, used, total }) =>
            `  ${name}: ${state}${used === null || total === null ? '' : `, ${formatSize(used)} of ${formatSize(total)}`}`,
        ),
        '',
      ].join('\n');
    })
    .join('\n');
}
