import type { Finding } from '../journal/document.js';
import { localMoment } from '../moment.js';
import { hintLines, oneLine, painter, type Style, type Tone, wrap } from './layout.js';

const TONE: Readonly<Record<Finding['status'], Tone>> = {
  pass: 'good',
  warn: 'careful',
  block: 'bad',
  skip: 'quiet',
};

/**
 * What `preflight` or `verify` found, as a table: status, id, what was seen, and under it how to mend it.
 * @param retryAfter ISO time from which it is expected to be safe, or null
 */
export function findingsText(
  host: string,
  findings: readonly Finding[],
  { color, columns, retryAfter }: Style & { readonly retryAfter: string | null },
): string {
  const paint = painter(color);
  const ids = Math.max(0, ...findings.map(({ id }) => id.length));
  const indent = 2 + 5 + 1 + ids + 2;
  const width = Math.max(24, Math.min(columns, 130) - indent);
  const lines = saidOnce(findings).flatMap(({ id, status, summary, detail }) => {
    const hint = status === 'block' && typeof detail.hint === 'string' ? hintLines(detail.hint, width) : [];
    const commands = status === 'block' ? commandsIn(detail) : [];
    const [first = '', ...rest] = wrap(summary, width);
    return [
      `  ${paint(TONE[status], status.padEnd(5))} ${id.padEnd(ids)}  ${first}`.trimEnd(),
      ...rest.map((line) => `${' '.repeat(indent)}${line}`),
      ...hint.map((line) => `${' '.repeat(indent)}${paint('quiet', line)}`),
      // Never broken, so that they can be copied.
      ...commands.map((line) => `    ${line}`),
    ];
  });
  return [
    `${paint('strong', oneLine(host))}: ${headline(findings, paint)}`,
    ...lines,
    ...(retryAfter ? [`  expected to be safe from ${localMoment(retryAfter)}`] : []),
    ...next(host, findings).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** Two lines at 80 columns: from here on a repetition is in the way. */
const LONG = 70;

/** A server that is away stops many checks with the same words: the later ones name the first. */
export function saidOnce(findings: readonly Finding[]): Finding[] {
  return findings.map((finding) => {
    const first = findings.find(({ summary }) => summary === finding.summary) ?? finding;
    if (first === finding || finding.status !== 'block' || finding.summary.length < LONG) return finding;
    return { ...finding, summary: `the same as ${first.id}`, detail: {} };
  });
}

/** The commands that mend what a check found. */
export const commandsIn = ({ commands }: Finding['detail']): string[] =>
  Array.isArray(commands) ? commands.filter((each) => typeof each === 'string').map(oneLine) : [];

const isVerify = (findings: readonly Finding[]) => findings.some(({ id }) => id.startsWith('verify.'));

function headline(findings: readonly Finding[], paint: (tone: Tone, text: string) => string): string {
  const count = (status: Finding['status']) => findings.filter((each) => each.status === status).length;
  const [blocked, warned] = [count('block'), count('warn')];
  const verify = isVerify(findings);
  if (blocked > 0) {
    return paint(
      'bad',
      `${verify ? 'not as it should be' : 'not safe to patch now'} (${blocked} of ${findings.length} block)`,
    );
  }
  const words = verify ? 'healthy' : 'safe to patch';
  return warned > 0
    ? paint('careful', `${words} (${warned} of ${findings.length} warn)`)
    : paint('good', words);
}

function next(host: string, findings: readonly Finding[]): string[] {
  if (isVerify(findings) || findings.some(({ status }) => status === 'block')) return [];
  return [`see the plan: pbs-ctl patch --host ${host} --check`];
}
