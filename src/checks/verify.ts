import { errorDocument, isShutOut } from '../fault.js';
import { type Answers, answerOf } from '../host/answers.js';
import type { Finding, HostState } from '../journal/document.js';
import { isUnfinished, type RunState } from '../journal/state.js';
import { type VerifyId, withAccepted } from '../rules/accept.js';
import { isRolledBack } from '../rules/rolled-back.js';
import { expectationOf, type ObservedHost, verdict } from '../rules/verdict.js';
import { whyUnseen } from './check.js';
import type { ContentsWatch } from './contents-watch.js';
import { hostState, installedNow } from './host-state.js';
import { poolsUnder } from './pools.js';

export interface Verification {
  readonly state: HostState | null;
  readonly findings: readonly Finding[];
  readonly ok: boolean;
}

interface Looking {
  readonly watch: ContentsWatch;
  /** No further look follows: then contents and storages are looked at although something else is not well. */
  readonly isLast?: boolean;
}

/**
 * Looks at the host once and compares it with the baseline of a run; what cannot be read is a block. What `patch`,
 * `verify` and `recover` say of a host is this.
 * @param run the last one that has a baseline; what it has changed counts only until it has come to its end
 */
export async function verifyOnce(
  answers: Answers,
  run: RunState | null,
  { watch, isLast = true }: Looking,
): Promise<Verification> {
  const { pbs, target } = answers;
  const before = run?.baseline ?? null;
  const hasGuest = target.guest !== null;
  const [state, services, daemon, survey, configs, packages] = await Promise.allSettled([
    hostState(answers),
    pbs.services(),
    pbs.daemonAnswers(),
    hasGuest ? answers.survey() : null,
    pbs.datastoreConfigs(),
    hasGuest ? NO_PACKAGES : packagesOf(answers),
  ]);
  const paths = new Map(answerOf(configs)?.datastores.map(({ name, path }) => [name, path]) ?? []);
  for (const { datastore, path } of before?.mounts ?? []) paths.set(datastore, path);
  const seen = answerOf(survey);
  const now = {
    state: answerOf(state) ?? UNKNOWN,
    services: answerOf(services) ?? [],
    survey: seen,
    surveyError: survey.status === 'rejected' ? errorDocument(survey.reason).message : null,
    paths,
    hasGuest,
    requiredUnits: target.policy.requiredUnits,
    packages: answerOf(packages) ?? NO_PACKAGES,
    pools: seen ? await poolsUnder(answers, seen, paths.values()) : [],
  };
  // What rests on an answer that is missing is not judged: the reason stands in its place.
  // A token that PVE refuses is one finding: the guest was never asked.
  const guest = survey.status === 'rejected' && !isShutOut(survey.reason) ? NOT_MISSING : survey;
  const missing = [state, services, daemon, configs, packages, guest].flatMap((each, index) =>
    each.status === 'rejected' ? [{ error: each.reason as unknown, ids: RESTS_ON_IT[index] ?? [] }] : [],
  );
  const unknown = new Set(missing.flatMap(({ ids }) => ids));
  const goneBack = await hasGoneBack(answers, run, { state: now.state, bootId: now.survey?.bootId ?? null });
  const expected = run && isUnfinished(run) && !goneBack ? expectationOf(run) : null;
  const accepted = (findings: readonly Finding[]) => withAccepted(findings, run?.accepted ?? []);
  const found = accepted(verdict(before, now, expected));
  const verdicts = goneBack ? found.map(saysSo(run)) : found;
  const judged = verdicts.filter(({ id }) => !unknown.has(id as VerifyId));
  const host = missing.length > 0 ? [unanswered(missing.map(({ error }) => error)), ...judged] : judged;
  const asBefore = await watch.findings(answers, run, isLast || areWell(host));
  const findings = [...host, ...accepted(asBefore), ...(await clockFinding(answers))];
  return { state: answerOf(state), findings, ok: areWell(findings) };
}

/** Of a run that has stopped: one at work must not take a machine without its upgrade for a good one. */
async function hasGoneBack(
  answers: Answers,
  run: RunState | null,
  { state, bootId }: { readonly state: HostState; readonly bootId: string | null },
): Promise<boolean> {
  if (!run?.ended?.open || !run.changes || state === UNKNOWN) return false;
  const installed = await installedNow(answers).catch(() => null);
  const boot = { bootTime: Date.parse(state.bootTime) / 1000, bootId };
  return installed !== null && isRolledBack(run, { boot, installed });
}

const saysSo =
  (run: RunState | null) =>
  (finding: Finding): Finding =>
    finding.id === 'verify.packages' && finding.status === 'pass'
      ? {
          ...finding,
          status: 'warn',
          summary: `${finding.summary}; it was rolled back to before run ${run?.runId}, which the next patch closes`,
        }
      : finding;

const areWell = (findings: readonly Finding[]) => findings.every(({ status }) => status !== 'block');

/** Findings that cannot be told without: state, services, daemon, configs, packages, guest. */
const RESTS_ON_IT: readonly (readonly VerifyId[])[] = [
  ['verify.datastores', 'verify.kernel'],
  ['verify.services'],
  [],
  ['verify.mounts'],
  ['verify.packages', 'verify.kernel'],
  ['verify.mounts', 'verify.units', 'verify.packages', 'verify.kernel'],
];
const NOT_MISSING = { status: 'fulfilled', value: null } as const;
const NO_PACKAGES: ObservedHost['packages'] = { pending: [], kernels: [] };
const UNKNOWN: HostState = { version: '', kernel: '', bootTime: '', datastores: [] };

/** A clock that is off makes backups look older or newer than they are, and schedules run at another time. */
async function clockFinding({ pbs, clock, target }: Answers): Promise<Finding[]> {
  const asked = clock.now();
  const time = await pbs.time().catch(() => null);
  if (time === null) return [];
  const seconds = time.epochSeconds + 0.5 - (asked + clock.now()) / 2000;
  if (Math.abs(seconds) * 1000 <= target.policy.maxClockSkew) return [];
  const summary = `the clock of PBS is ${Math.abs(Math.round(seconds))} s ${seconds > 0 ? 'ahead of' : 'behind'} that of this machine`;
  const commands = ['timedatectl', 'systemctl restart chrony'];
  return [
    {
      id: 'verify.clock',
      status: 'warn',
      summary,
      detail: {},
      fixes: [{ where: target.host, commands }],
      retryAfter: null,
    },
  ];
}

/** One finding for all that PBS did not answer; one that was refused comes first, since no other answer can be had. */
function unanswered(errors: readonly unknown[]): Finding {
  const first = errors.find(isShutOut) ?? errors[0];
  return {
    id: 'verify.api',
    status: 'block',
    summary: [...new Set(errors.map((error) => errorDocument(error).message))].join('; '),
    detail: whyUnseen(first),
    retryAfter: null,
  };
}

async function packagesOf({ pbs }: Answers): Promise<ObservedHost['packages']> {
  const [updates, installed] = await Promise.all([pbs.updates(), pbs.packages()]);
  return {
    pending: updates.map(({ name }) => name),
    kernels: installed.flatMap(({ name, installed: version }) => (version === null ? [] : [name])),
  };
}
