import type { Commands } from '../api/grants.js';
import { errorDocument } from '../fault.js';

/** What was looked at. */
export type Topic =
  | 'config'
  | 'state'
  | 'metrics'
  | 'secret'
  | 'tls'
  | 'token'
  | 'privileges'
  | 'power'
  | 'daemon'
  | 'packages'
  | 'agent'
  | 'lock'
  | 'clock'
  | 'slack'
  | 'webhook';

/** One thing that `doctor` looked at, and how it is mended where it is not well. */
export interface Diagnosis {
  /** "here", "cluster main", "host pbs01", "notify". */
  readonly subject: string;
  readonly topic: Topic;
  readonly status: 'pass' | 'warn' | 'block' | 'skip';
  /** What was seen: one line. */
  readonly summary: string;
  /** What no command can say; null where the commands say it all. */
  readonly hint: string | null;
  readonly mends: readonly Commands[];
  readonly detail: Readonly<Record<string, unknown>>;
}

type Rest = Partial<Pick<Diagnosis, 'hint' | 'mends' | 'detail'>>;

/** How the diagnoses of one subject and topic are written down. */
export function about(subject: string, topic: Topic) {
  const of =
    (status: Diagnosis['status']) =>
    (summary: string, { hint = null, mends = [], detail = {} }: Rest = {}): Diagnosis => ({
      subject,
      topic,
      status,
      summary,
      hint,
      mends,
      detail,
    });
  return { pass: of('pass'), warn: of('warn'), block: of('block'), skip: of('skip') };
}

/** Something that could not be looked at. */
export function failed(
  subject: string,
  topic: Topic,
  error: unknown,
  mends: readonly Commands[] = [],
): Diagnosis {
  const { code, message, hint } = errorDocument(error);
  return about(subject, topic).block(message, { hint, mends, detail: { error: code } });
}
