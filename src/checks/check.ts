import { errorDocument, Fault, type Fix, isShutOut } from '../fault.js';
import { type Answers, type ClusterAnswers, InContainer } from '../host/answers.js';
import type { Finding, FindingId } from '../journal/document.js';
import { isoFromSeconds } from '../moment.js';
import { type Round, type Rules, timeNeeded } from '../rules/rounds.js';

/** The verdict of a check: a status, one line, and facts for scripts. */
export interface Judgement {
  readonly status: Finding['status'];
  readonly summary: string;
  readonly detail?: Readonly<Record<string, unknown>>;
  /** Commands that fix it where it does not pass. */
  readonly fixes?: readonly Fix[];
  /** Epoch seconds from which this block is expected to be over; absent where that is unknown. */
  readonly retryAt?: number;
}

/**
 * One question about the safety of a run. `look` asks the APIs (each request is sent once per
 * {@link Answers}), `judge` decides and is pure.
 */
export interface Check<Seen = unknown, Id extends FindingId = FindingId> {
  readonly id: Id;
  readonly rules: Rules;
  look(answers: Answers): Promise<Seen>;
  judge(seen: Seen, known: Known): Judgement;
}

/** What a round of checks is for. */
export interface Asking {
  readonly round: Round;
  /** How long the run still takes, seconds: nothing may start within it, nor within the margin after it. */
  readonly takes: number;
  /** Tasks of the run itself, which do not block it. UPIDs. */
  readonly ownTasks: readonly string[];
  /** An upgrade of the run has begun before: it is resumed, whatever may hold back a new one. */
  readonly upgradeBegun: boolean;
}

/** What a judgement is based on besides what was seen. */
export type Known = Pick<Answers, 'target' | 'now' | 'ownRun'> & Asking;

/** A check as it is, with its id as its type: the ids of all checks are derived from them. */
export const check = <const Id extends FindingId, Seen>(own: Check<Seen, Id>): Check<Seen, Id> => own;

/** A check that looks at each cluster and reports once. */
export function perCluster<const Id extends FindingId, Seen>({
  look,
  judge,
  ...rest
}: Pick<Check<Seen, Id>, 'id' | 'rules'> & {
  look(cluster: ClusterAnswers, answers: Answers): Promise<Seen>;
  judge(seen: Seen, known: Known, cluster: string): Judgement;
}): Check<ReadonlyArray<readonly [cluster: string, Seen]>, Id> {
  return {
    ...rest,
    look: (answers) =>
      Promise.all(
        answers.clusters.map(async (cluster) => [cluster.name, await look(cluster, answers)] as const),
      ),
    judge: (seen, known) =>
      worstOf(seen.map(([cluster, part]) => [cluster, judge(part, known, cluster)] as const)),
  };
}

export const pass = (summary: string, detail?: Judgement['detail']): Judgement =>
  judgement('pass', summary, detail);
export const warn = (summary: string, detail?: Judgement['detail']): Judgement =>
  judgement('warn', summary, detail);
export const skip = (summary: string): Judgement => judgement('skip', summary);
export const block = (summary: string, detail?: Judgement['detail'], retryAt?: number): Judgement => ({
  ...judgement('block', summary, detail),
  ...(retryAt === undefined ? {} : { retryAt }),
});

function judgement(status: Finding['status'], summary: string, detail?: Judgement['detail']): Judgement {
  return { status, summary, ...(detail ? { detail } : {}) };
}

/** The lines name the cluster, the status is the worst. */
function worstOf(parts: ReadonlyArray<readonly [cluster: string, Judgement]>): Judgement {
  const order = ['skip', 'pass', 'warn', 'block'];
  const [first] = parts;
  if (!first) return skip('no cluster');
  if (parts.length === 1) return first[1];
  const worst = parts.reduce((a, b) => (order.indexOf(b[1].status) > order.indexOf(a[1].status) ? b : a))[1]
    .status;
  const shown = parts.filter(([, part]) => part.status === worst);
  const fixes = shown.flatMap(([, part]) => part.fixes ?? []);
  const retries = parts.flatMap(([, part]) => (part.status === 'block' ? [part.retryAt] : []));
  const known = retries.filter((at) => at !== undefined);
  return {
    status: worst,
    summary: shown.map(([cluster, part]) => `${cluster}: ${part.summary}`).join('; '),
    detail: Object.fromEntries(parts.map(([cluster, part]) => [cluster, part.detail ?? {}])),
    ...(fixes.length > 0 ? { fixes } : {}),
    ...(worst === 'block' && known.length === retries.length ? { retryAt: Math.max(...known) } : {}),
  };
}

/** What the token may not see, where the rest of a finding stands without it. */
export async function orUnseen<Value>(asked: Promise<Value>): Promise<Value | null> {
  return asked.catch((error: unknown) => {
    if (error instanceof Fault && error.denied === 'privilege') return null;
    throw error;
  });
}

/** All checks side by side, but for those that come last in this round; one that throws is a block with its reason. */
export async function runChecks(
  checks: readonly Check[],
  answers: Answers,
  {
    round = 'preflight',
    takes = timeNeeded(round, answers.target.policy),
    ownTasks = [],
    upgradeBegun = false,
  }: Partial<Asking> = {},
): Promise<Finding[]> {
  const known: Known = { ...answers, round, takes, ownTasks, upgradeBegun };
  const ask = (each: Check) => {
    const run = () => runCheck(each, answers, known);
    return each.rules.lasting?.some((shares) => shares === round)
      ? answers.cache.lasting(`check ${each.id}`, run, ({ status }) => status !== 'block')
      : run();
  };
  const isLast = ({ rules }: Check) => rules.last?.some((gate) => gate === round) ?? false;
  const others = new Map(checks.filter((each) => !isLast(each)).map((each) => [each.id, ask(each)]));
  const asked = Promise.all(others.values());
  return Promise.all(checks.map((each) => others.get(each.id) ?? asked.then(() => ask(each))));
}

async function runCheck(check: Check, answers: Answers, known: Known): Promise<Finding> {
  try {
    const { status, summary, detail, fixes, retryAt } = check.judge(await check.look(answers), known);
    return {
      id: check.id,
      status,
      summary,
      detail: detail ?? {},
      ...(fixes && fixes.length > 0 ? { fixes } : {}),
      retryAfter: retryAt === undefined ? null : isoFromSeconds(retryAt),
    };
  } catch (error) {
    // guest.vm says what to do.
    const inContainer = error instanceof InContainer && check.id !== 'guest.vm';
    if (inContainer) {
      const summary = 'the guest is a container: see guest.vm';
      return { id: check.id, status: 'skip', summary, detail: {}, retryAfter: null };
    }
    const { message } = errorDocument(error);
    return { id: check.id, status: 'block', summary: message, detail: whyUnseen(error), retryAfter: null };
  }
}

/** Why a finding could not be determined; `denied` where the token or the certificate is not accepted. */
export function whyUnseen(error: unknown): Finding['detail'] {
  const { code, hint } = errorDocument(error);
  return { error: code, hint, ...(isShutOut(error) ? { denied: (error as Fault).denied } : {}) };
}

/** A token or certificate that is not accepted: waiting does not help. */
export const isDenied = ({ status, detail }: Finding): boolean =>
  status === 'block' && detail.denied !== undefined;

/** When every block is expected to be over; null where that is unknown for one of them. */
export function retryAfter(findings: readonly Finding[]): string | null {
  const blocks = findings.filter((finding) => finding.status === 'block');
  if (blocks.length === 0 || blocks.some((finding) => finding.retryAfter === null)) return null;
  return (
    blocks
      .map((finding) => finding.retryAfter as string)
      .sort()
      .at(-1) ?? null
  );
}
