import { errorDocument } from '../fault.js';
import type { Answers } from '../host/answers.js';
import type { Finding, HostState } from '../journal/document.js';
import type { Baseline } from '../journal/records.js';
import { type Expectation, type ObservedHost, verdict } from '../rules/verdict.js';
import { hostState } from './host-state.js';

export interface Verification {
  readonly state: HostState | null;
  readonly findings: readonly Finding[];
  readonly ok: boolean;
}

/** Looks at the host once and compares it with the baseline; what cannot be read is a block. */
export async function verifyOnce(
  answers: Answers,
  before: Baseline | null,
  expected: Expectation | null,
): Promise<Verification> {
  try {
    const { pbs, target } = answers;
    const [state, services] = await Promise.all([hostState(answers), pbs.services(), pbs.daemonAnswers()]);
    const hasGuest = target.guest !== null;
    const survey = hasGuest ? await answers.survey().catch((error: unknown) => errorDocument(error)) : null;
    const paths = new Map(before?.mounts.map(({ datastore, path }) => [datastore, path]) ?? []);
    if (state.datastores.some(({ name }) => !paths.has(name))) {
      for (const { name, path } of (await pbs.datastoreConfigs()).datastores) {
        if (!paths.has(name)) paths.set(name, path);
      }
    }
    const seen = survey && 'bootId' in survey ? survey : null;
    const surveyError = survey && 'code' in survey ? survey.message : null;
    const packages = hasGuest ? { pending: [], kernels: [] } : await packagesOf(answers);
    const findings = verdict(
      before,
      { state, services, survey: seen, surveyError, paths, hasGuest, packages },
      expected,
    );
    return { state, findings, ok: findings.every(({ status }) => status !== 'block') };
  } catch (error) {
    const { code, message, hint } = errorDocument(error);
    const finding = {
      id: 'verify.api',
      status: 'block',
      summary: message,
      detail: { error: code, hint },
      retryAfter: null,
    } as const;
    return { state: null, findings: [finding], ok: false };
  }
}

async function packagesOf({ pbs }: Answers): Promise<ObservedHost['packages']> {
  const [updates, installed] = await Promise.all([pbs.updates(), pbs.packages()]);
  return {
    pending: updates.map(({ name }) => name),
    kernels: installed.flatMap(({ name, installed: version }) => (version === null ? [] : [name])),
  };
}
