import { compareKernels, installedKernels } from '../guest/apt.js';
import { missingMount, mountOf } from '../guest/mounts.js';
import type { Survey } from '../guest/survey.js';
import type { Finding, FindingId, HostState } from '../journal/document.js';
import type { Baseline } from '../journal/records.js';

/** What verify looks at. `survey` is null where the guest cannot be asked; `paths`: datastore → its folder. */
export interface ObservedHost {
  readonly state: HostState;
  readonly services: ReadonlyArray<{ readonly name: string; readonly state: string }>;
  readonly survey: Survey | null;
  readonly surveyError: string | null;
  readonly paths: ReadonlyMap<string, string>;
  /** False where the config names no guest: then what PBS itself says of its packages has to do. */
  readonly hasGuest: boolean;
  /** `pending` names held packages too. */
  readonly packages: { readonly pending: readonly string[]; readonly kernels: readonly string[] };
}

/** What a run has changed and so expects. Null for a plain `verify`. */
export interface Expectation {
  readonly upgraded: boolean;
  readonly rebooted: boolean;
  /** A newer kernel may have come after the boot. */
  readonly olderKernel?: boolean;
  /** Packages that the upgrade has left behind on purpose. */
  readonly held: readonly string[];
}

const ESSENTIAL = ['proxmox-backup', 'proxmox-backup-proxy'];

/** Before and after, as findings. Pure. */
export function verdict(before: Baseline | null, now: ObservedHost, expected: Expectation | null): Finding[] {
  return [
    datastores(before, now),
    mounts(before, now),
    services(before, now),
    ...(now.hasGuest ? [units(before, now)] : []),
    packages(now, expected),
    kernel(now, expected),
  ];
}

function datastores(before: Baseline | null, { state }: ObservedHost): Finding {
  const wanted = before?.state.datastores.map(({ name }) => name) ?? [];
  const missing = wanted.filter((name) => !state.datastores.some((each) => each.name === name));
  const broken = state.datastores.filter((each) => each.state !== 'ok' && !wasBroken(before, each.name));
  const problems = [
    ...missing.map((name) => `${name} is gone`),
    ...broken.map(({ name, state: what }) => `${name}: ${what}`),
  ];
  if (problems.length > 0) return finding('verify.datastores', 'block', problems.join('; '));
  if (state.datastores.length === 0) return finding('verify.datastores', 'block', 'no datastore is visible');
  return finding(
    'verify.datastores',
    'pass',
    `${state.datastores.length} of ${Math.max(wanted.length, state.datastores.length)} present and accessible`,
  );
}

const wasBroken = (before: Baseline | null, name: string) =>
  (before?.state.datastores.find((each) => each.name === name)?.state ?? 'ok') !== 'ok';

function mounts(before: Baseline | null, { survey, surveyError, paths, hasGuest }: ObservedHost): Finding {
  if (!hasGuest) return finding('verify.mounts', 'skip', 'the config names no guest to ask');
  if (!survey) return finding('verify.mounts', 'block', surveyError ?? 'the guest does not answer');
  const problems = [...paths].flatMap(([name, path]) => {
    const now = mountOf(path, survey.mounts);
    const old = before?.mounts.find(({ datastore }) => datastore === name);
    if (old)
      return old.target === now.target
        ? []
        : [`${name} lay on ${old.target}, its folder is on ${now.target} now`];
    const missing = missingMount(path, survey);
    return missing ? [`${name}: ${missing} is in fstab and not mounted`] : [];
  });
  return problems.length > 0
    ? finding('verify.mounts', 'block', problems.join('; '))
    : finding('verify.mounts', 'pass', mountsWell(paths, survey));
}

/** `pbs.datastores` warns of those that share it, so it is said here too. */
function mountsWell(paths: ReadonlyMap<string, string>, survey: Survey): string {
  const shared = [...paths].filter(([, path]) => mountOf(path, survey.mounts).target === '/');
  if (shared.length === 0) return 'every datastore is on a separate file system';
  const names = shared.map(([name]) => name).join(', ');
  return `every datastore is where it belongs; ${names} on the root file system`;
}

function services(before: Baseline | null, now: ObservedHost): Finding {
  const wanted = new Set([...ESSENTIAL, ...(before?.services ?? [])]);
  const down = [...wanted].filter(
    (name) => now.services.find((each) => each.name === name)?.state !== 'running',
  );
  return down.length > 0
    ? finding('verify.services', 'block', `not running: ${down.join(', ')}`)
    : finding('verify.services', 'pass', `${wanted.size} services run`);
}

function units(before: Baseline | null, { survey, surveyError }: ObservedHost): Finding {
  if (!survey) return finding('verify.units', 'block', surveyError ?? 'the guest does not answer');
  const fresh = survey.failedUnits.filter((unit) => !before?.failedUnits.includes(unit));
  if (fresh.length === 0) return finding('verify.units', 'pass', 'no unit failed that was fine before');
  return finding('verify.units', before ? 'block' : 'warn', `failed: ${fresh.join(', ')}`);
}

function packages(now: ObservedHost, expected: Expectation | null): Finding {
  const { survey, hasGuest } = now;
  if (hasGuest && !survey) return finding('verify.packages', 'block', 'the guest does not answer');
  if (survey && survey.audit !== '')
    return finding('verify.packages', 'block', `dpkg --audit reports: ${survey.audit.split('\n')[0]}`);
  const pending = survey
    ? waiting(survey)
    : now.packages.pending.filter((name) => !expected?.held.includes(name)).length;
  if (expected?.upgraded && pending !== 0) {
    return finding(
      'verify.packages',
      'block',
      `${pending ?? 'an unknown number of'} packages still wait after the upgrade`,
    );
  }
  const whole = survey ? 'nothing pending, nothing half installed' : 'nothing pending';
  return finding('verify.packages', 'pass', pending === 0 ? whole : `${pending ?? '?'} updates pending`);
}

const waiting = ({ plan }: Survey) => (plan ? plan.upgraded.length + plan.installed.length : null);

function kernel(
  { survey, state, hasGuest, packages: { kernels } }: ObservedHost,
  expected: Expectation | null,
): Finding {
  if (hasGuest && !survey) return finding('verify.kernel', 'block', 'the guest does not answer');
  const newest = installedKernels(survey ? survey.installedPackages.keys() : kernels).at(-1);
  if (newest === undefined || compareKernels(newest, state.kernel) <= 0)
    return finding('verify.kernel', 'pass', `${state.kernel} runs`);
  const text = `${state.kernel} runs, ${newest} is installed`;
  if (expected?.olderKernel) return finding('verify.kernel', 'warn', `${text}: it came after the boot`);
  return finding(
    'verify.kernel',
    expected?.rebooted ? 'block' : 'warn',
    `${text}${expected?.rebooted ? ': pinned kernel or boot loader' : ''}`,
  );
}

function finding(id: FindingId, status: Finding['status'], summary: string): Finding {
  return { id, status, summary, detail: {}, retryAfter: null };
}
