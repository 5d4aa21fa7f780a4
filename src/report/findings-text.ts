import type { Fix } from '../fault.js';
import type { Finding } from '../journal/document.js';
import { localMoment } from '../moment.js';
import { oneLine } from '../printable.js';
import { hintLines, type Paint, painter, type Style, type Tone, table, wrap } from './layout.js';

const TONE: Readonly<Record<Finding['status'], Tone>> = {
  pass: 'good',
  warn: 'careful',
  block: 'bad',
  skip: 'quiet',
};

/**
 * What `preflight` or `verify` found, as a table: status, id, what was seen, and under it what helps.
 * @param retryAfter ISO time from which it is expected to be safe, or null
 */
export function findingsText(
  host: string,
  findings: readonly Finding[],
  { color, columns, retryAfter }: Style & { readonly retryAfter: string | null },
): string {
  const paint = painter(color);
  return [
    `${paint('strong', oneLine(host))}: ${headline(findings, paint)}`,
    ...findingLines(findings.map(shown), { color, columns }),
    ...(retryAfter ? [`  expected to be safe from ${localMoment(retryAfter)}`] : []),
    ...next(host, findings).map((line) => `  ${line}`),
    '',
  ].join('\n');
}

/** A row of the table: a check, or a finding of `doctor`. */
interface ShownFinding {
  readonly id: string;
  readonly status: Finding['status'];
  readonly summary: string;
  readonly hint: string | null;
  readonly fixes: readonly Fix[];
}

const shown = ({ id, status, summary, detail, fixes = [] }: Finding): ShownFinding => ({
  id,
  status,
  summary,
  hint: typeof detail.hint === 'string' ? detail.hint : null,
  fixes,
});

/**
 * Findings as a table.
 * @param told commands that are printed above already; those of this table are added
 */
export function findingLines(
  findings: readonly ShownFinding[],
  { color, columns }: Style,
  { told = new Set<string>(), idWidth = 0 } = {},
): string[] {
  const paint = painter(color);
  const distinct = saidOnce(findings);
  const rows = distinct.map(({ id, status, summary, hint }) => ({
    cells: [{ text: status, tone: TONE[status] }, id],
    rest: (width: number) => [
      ...wrap(summary, width),
      ...(hint === null || status === 'pass'
        ? []
        : hintLines(hint, width).map((line) => paint('quiet', line))),
    ],
  }));
  const style = { paint, columns: Math.min(columns, 130), indent: 2, least: [5, idWidth] };
  return table(rows, style).flatMap((lines, index) => [
    ...lines,
    ...fixLines(distinct[index]?.fixes ?? [], { paint, indent: 6, told }),
  ]);
}

/** Commands and where to run them; never wrapped, so that they can be copied. */
export function fixLines(
  fixes: readonly Fix[],
  { paint, indent, told = new Set<string>() }: { paint: Paint; indent: number; told?: Set<string> },
): string[] {
  return fixes.flatMap(({ where, commands }) => {
    const place = oneLine(where);
    const fresh = commands.map(oneLine).filter((command) => !told.has(`${place}: ${command}`));
    for (const command of fresh) told.add(`${place}: ${command}`);
    return [
      `${' '.repeat(indent)}${paint('quiet', `${place}:${fresh.length === 0 ? ' as above' : ''}`)}`,
      ...fresh.map((command) => `${' '.repeat(indent + 2)}${command}`),
    ];
  });
}

/** A short summary is as short as the reference to another would be. */
const LONG = 40;

/** A server that is down blocks many checks with the same words: the later ones refer to the first. */
function saidOnce(findings: readonly ShownFinding[]): ShownFinding[] {
  return findings.map((finding) => {
    const first = findings.find(({ summary }) => summary === finding.summary) ?? finding;
    if (first === finding || finding.status !== 'block' || finding.summary.length < LONG) return finding;
    return { ...finding, summary: `the same as ${first.id}`, hint: null, fixes: [] };
  });
}

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
  return ['See the plan:', `  pbs-ctl patch --host ${host} --check`];
}
