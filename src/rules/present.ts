import type { Finding, FindingId } from '../journal/document.js';
import type { Busy } from '../schedule/plan.js';
import type { Interval } from '../schedule/window.js';

/** The checks about time, and those about what is at work. */
const ABOUT: Readonly<Partial<Record<FindingId, 'time' | 'use'>>> = {
  'pbs.jobs': 'time',
  'pve.schedule': 'time',
  'policy.window': 'time',
  'pbs.tasks': 'use',
  'pve.backups': 'use',
};
export const isAboutTime = ({ id }: Pick<Finding, 'id'>): boolean => ABOUT[id] === 'time';
export const isAboutTimeOrUse = ({ id }: Pick<Finding, 'id'>): boolean => ABOUT[id] !== undefined;

/** What checks see of the present: it goes before what schedules and past runs suggest. */
export interface Present {
  /** Busy from now on, also where a plan would not say so. */
  readonly busy: readonly Busy[];
  /** Jobs that are due, windows that are closed: a plan has them, each in its own way. */
  readonly due: readonly Busy[];
  /** Something is at work. Where nothing is, a job that began has ended, whatever its past runs took. */
  readonly inUse: boolean;
}

/** Pure. @param span from now on, as far as a plan looks */
export function presentOf(findings: readonly Finding[], span: Interval): Present {
  const blocks = findings.filter((each) => each.status === 'block' && isAboutTimeOrUse(each));
  const all = blocks.map((finding): Busy & { readonly always: boolean } => {
    const { id, summary, detail, retryAfter } = finding;
    const [server] = id.split('.');
    const young = detail.bootedAt !== undefined;
    const until = retryAfter === null ? null : Date.parse(retryAfter) / 1000;
    const endless =
      until === null && (ABOUT[id] === 'use' || detail.error !== undefined || isUnknown(detail));
    return {
      from: span.from,
      to: until === null ? span.to : Math.max(until, span.from + 1),
      source: young ? 'boot' : (server ?? id),
      label: summary,
      estimated: until === null,
      ...(endless ? { endless: true as const } : {}),
      ...(detail.error === undefined ? {} : { unanswered: true as const }),
      always: young || endless,
    };
  });
  const plain = ({ always: _, ...busy }: (typeof all)[number]): Busy => busy;
  return {
    busy: all.filter(({ always }) => always).map(plain),
    due: all.filter(({ always }) => !always).map(plain),
    inUse: blocks.some(({ id }) => ABOUT[id] === 'use'),
  };
}

/** When a job runs cannot be known; with several clusters, of one of them. */
const isUnknown = (detail: Finding['detail']): boolean =>
  [detail, ...Object.values(detail)].some(
    (each) => typeof each === 'object' && each !== null && 'unknown' in each,
  );
