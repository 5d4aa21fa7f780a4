import { errorDocument, type Fix } from '../fault.js';
import type { Finding, FindingId } from '../journal/document.js';
import { oneLine } from '../printable.js';
import { findingLines } from '../report/findings-text.js';
import { type Paint, painter, type Style } from '../report/layout.js';

/** Examined by `doctor` itself, or by a check. */
type Topic =
  | 'config'
  | 'state'
  | 'metrics'
  | 'secret'
  | 'tls'
  | 'token'
  | 'excess'
  | 'tags'
  | 'storages'
  | 'inside'
  | 'slack'
  | 'webhook'
  | FindingId;

/** One thing that `doctor` looked at, and the fix where one is needed. */
export interface SetupFinding {
  /** "controller", "cluster main", "host pbs01", "notify". */
  readonly subject: string;
  readonly topic: Topic;
  readonly status: Finding['status'];
  /** What was seen: one line. */
  readonly summary: string;
  /** What the commands do not say; null where they say it all. */
  readonly hint: string | null;
  readonly fixes: readonly Fix[];
  readonly detail: Readonly<Record<string, unknown>>;
}

type Rest = Partial<Pick<SetupFinding, 'hint' | 'fixes' | 'detail'>>;

/** Makes the findings of one subject and topic. */
export function about(subject: string, topic: Topic) {
  const of =
    (status: SetupFinding['status']) =>
    (summary: string, { hint = null, fixes = [], detail = {} }: Rest = {}): SetupFinding => ({
      subject,
      topic,
      status,
      summary,
      hint,
      fixes,
      detail,
    });
  return { pass: of('pass'), warn: of('warn'), block: of('block'), skip: of('skip') };
}

/** A finding of a check as one of set-up. */
export function ofCheck(subject: string, { id, status, summary, detail, fixes = [] }: Finding): SetupFinding {
  const hint = typeof detail.hint === 'string' ? detail.hint : null;
  return { subject, topic: id, status, summary, hint, fixes, detail };
}

/** Something that could not be examined. */
export function failed(
  subject: string,
  topic: Topic,
  error: unknown,
  fixes: readonly Fix[] = [],
): SetupFinding {
  const { code, message, hint } = errorDocument(error);
  return about(subject, topic).block(message, { hint, fixes, detail: { error: code } });
}

/** What could not be examined is a finding, and does not stop the rest. */
export function orFailed(
  subject: string,
  topic: Topic,
  examine: () => Promise<SetupFinding>,
): Promise<SetupFinding> {
  return examine().catch((error: unknown) => failed(subject, topic, error));
}

/** The findings of `doctor`, one table per subject. Commands printed above are not repeated. */
export function setupText(findings: readonly SetupFinding[], style: Style): string {
  const paint = painter(style.color);
  const told = new Set<string>();
  const idWidth = Math.max(...findings.map(({ topic }) => topic.length));
  const subjects = [...new Set(findings.map(({ subject }) => subject))];
  const lines = subjects.flatMap((subject) => [
    paint('strong', oneLine(subject)),
    ...findingLines(
      findings
        .filter((each) => each.subject === subject)
        .map(({ topic, ...rest }) => ({ id: topic, ...rest })),
      style,
      { told, idWidth },
    ),
  ]);
  return [...lines, '', verdict(findings, paint), ''].join('\n');
}

function verdict(findings: readonly SetupFinding[], paint: Paint): string {
  const count = (status: Finding['status']) => findings.filter((each) => each.status === status).length;
  const [blocks, warns] = [count('block'), count('warn')];
  const things = (number: number) => `${number} ${number === 1 ? 'thing' : 'things'}`;
  if (blocks > 0) {
    const also = warns > 0 ? `, and ${things(warns)} to look at` : '';
    return paint('bad', `${things(blocks)} to fix before a run${also}`);
  }
  if (warns > 0) return paint('careful', `ready to run; ${things(warns)} to look at`);
  return paint('good', 'all well');
}
