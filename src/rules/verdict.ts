import { installedKernels } from '../guest/kernels.js';
import { missingMount, mountOf } from '../guest/mounts.js';
import type { Survey } from '../guest/survey.js';
import type { Finding, HostState } from '../journal/document.js';
import type { Baseline, Pool } from '../journal/records.js';
import type { RunState } from '../journal/state.js';
import type { VerifyId } from './accept.js';
import { bootableWithoutGuest, kernelStanding } from './kernel.js';
import { backupsRestOn, type RequiredBy } from './needed-units.js';
import { symptomsOf } from './symptoms.js';

/** What verify looks at. `survey` is null where the guest cannot be asked; `paths`: datastore → its folder. */
export interface ObservedHost {
  readonly state: HostState;
  readonly services: ReadonlyArray<{ readonly name: string; readonly state: string }>;
  readonly survey: Survey | null;
  readonly surveyError: string | null;
  readonly paths: ReadonlyMap<string, string>;
  /** False where the config names no guest: then what PBS itself says of its packages has to do. */
  readonly hasGuest: boolean;
  /** `policy.requiredUnits`. */
  readonly requiredUnits: readonly string[];
  /** `pending` names held packages too. */
  /** On which datastores lie. */
  readonly pools?: readonly Pool[];
  readonly packages: { readonly pending: readonly string[]; readonly kernels: readonly string[] };
}

/** What a run has changed and so expects. Null for a plain `verify`. */
interface Expectation {
  readonly upgraded: boolean;
  readonly rebooted: boolean;
  /** A newer kernel may have come after the boot. */
  readonly olderKernel?: boolean;
  /** Packages that the upgrade has left behind on purpose. */
  readonly held: readonly string[];
}

export const expectationOf = ({
  upgrade,
  reboot,
  foreignBoot,
  changes,
}: Pick<RunState, 'upgrade' | 'reboot' | 'foreignBoot' | 'changes'>): Expectation => ({
  upgraded: upgrade === 'done',
  rebooted: reboot !== null,
  olderKernel: foreignBoot !== null && foreignBoot.owes !== null,
  held: changes?.held ?? [],
});

const ESSENTIAL = ['proxmox-backup', 'proxmox-backup-proxy'];

/** Before and after, as findings. Pure. */
export function verdict(before: Baseline | null, now: ObservedHost, expected: Expectation | null): Finding[] {
  return [
    datastores(before, now),
    mounts(before, now),
    services(before, now),
    ...(now.hasGuest ? [units(before, now)] : []),
    packages(now, expected),
    kernel(before, now, expected),
  ];
}

function datastores(before: Baseline | null, { state, pools = [] }: ObservedHost): Finding {
  const wanted = before?.state.datastores.map(({ name }) => name) ?? [];
  const missing = wanted.filter((name) => !state.datastores.some((each) => each.name === name));
  const broken = state.datastores.filter((each) => each.state !== 'ok' && !wasBroken(before, each.name));
  const problems = [
    ...missing.map((name) => `${name} is gone`),
    ...broken.map(({ name, state: what }) => `${name}: ${what}`),
  ];
  if (problems.length > 0) return finding('verify.datastores', 'block', problems.join('; '));
  if (state.datastores.length === 0) return finding('verify.datastores', 'block', 'no datastore is visible');
  const all = `${state.datastores.length} of ${Math.max(wanted.length, state.datastores.length)} present and accessible`;
  const worse = pools.flatMap((pool) => worsening(before, pool) ?? []);
  return worse.length > 0
    ? finding('verify.datastores', 'warn', [all, ...worse].join('; '))
    : finding('verify.datastores', 'pass', all);
}

/** What carries a datastore may lose a disk at a boot, and go on. */
function worsening(before: Baseline | null, { name, health }: Pool): string | null {
  if (health === 'ONLINE') return null;
  const was = before?.pools?.find((pool) => pool.name === name)?.health;
  if (was === health) return null;
  return was === undefined ? `pool ${name} is ${health}` : `pool ${name} was ${was} and is ${health}`;
}

const wasBroken = (before: Baseline | null, name: string) =>
  (before?.state.datastores.find((each) => each.name === name)?.state ?? 'ok') !== 'ok';

function mounts(before: Baseline | null, { survey, surveyError, paths, hasGuest }: ObservedHost): Finding {
  if (!hasGuest) return finding('verify.mounts', 'skip', 'the config names no guest to ask');
  if (!survey) return finding('verify.mounts', 'block', surveyError ?? 'the guest does not answer');
  const problems = [...paths].flatMap(([name, path]) => {
    const now = mountOf(path, survey.mounts);
    const old = before?.mounts.find(({ datastore }) => datastore === name);
    const text = `${name} lay on ${old?.target}, its folder is on ${now.target} now`;
    // Both hold its folder, so the longer one is mounted within the other: the boot has mounted what was not before.
    if (old) return old.target === now.target ? [] : [{ text, isHealed: now.target.startsWith(old.target) }];
    const missing = missingMount(path, survey);
    return missing ? [{ text: `${name}: ${missing} is in fstab and not mounted`, isHealed: false }] : [];
  });
  for (const { kind, holdsFence, summary } of symptomsOf(survey, paths))
    if (holdsFence && (kind === 'read-only' || kind === 'disk-errors'))
      problems.push({ text: summary, isHealed: false });
  if (problems.length === 0) return finding('verify.mounts', 'pass', mountsWell(paths, survey));
  const texts = problems.map(({ text }) => text);
  const acceptable = problems.every(({ isHealed }) => isHealed) ? texts : undefined;
  return finding('verify.mounts', 'block', texts.join('; '), acceptable);
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
  if (down.length === 0) return finding('verify.services', 'pass', `${wanted.size} services run`);
  const needed = down.filter((name) => backupsRestOn(`${name}.service`, NONE, now.requiredUnits));
  const text = `not running: ${down.join(', ')}`;
  if (needed.length > 0) return finding('verify.services', 'block', text, needed);
  return finding('verify.services', 'warn', `${text}; no backup rests on it`);
}

const NONE: RequiredBy = new Map();

/** Only what backups rest on holds the fence; what had failed before is named, and no reason. */
function units(before: Baseline | null, { survey, surveyError, requiredUnits }: ObservedHost): Finding {
  if (!survey) return finding('verify.units', 'block', surveyError ?? 'the guest does not answer');
  const wasFailed = (unit: string) => before?.failedUnits.includes(unit) ?? false;
  const fresh = survey.failedUnits.filter((unit) => !wasFailed(unit));
  const old = survey.failedUnits.filter(wasFailed);
  const needed = fresh.filter((unit) => backupsRestOn(unit, survey.requiredBy, requiredUnits));
  const others = fresh.filter((unit) => !needed.includes(unit));
  const parts = [
    ...(needed.length > 0 ? [`failed: ${needed.join(', ')}`] : []),
    ...(others.length > 0 ? [`failed, and no backup rests on it: ${others.join(', ')}`] : []),
    ...(fresh.length === 0 ? ['no unit failed that was fine before'] : []),
    ...(old.length > 0 ? [`failed before already: ${old.join(', ')}`] : []),
  ].join('; ');
  if (needed.length > 0 && before) return finding('verify.units', 'block', parts, needed);
  return finding('verify.units', fresh.length > 0 ? 'warn' : 'pass', parts);
}

function packages(now: ObservedHost, expected: Expectation | null): Finding {
  const { survey, hasGuest } = now;
  if (hasGuest && !survey) return finding('verify.packages', 'block', 'the guest does not answer');
  if (survey && survey.audit !== '') {
    const broken = survey.audit.split('\n');
    return finding('verify.packages', 'block', `dpkg --audit reports: ${broken[0]}`, broken);
  }
  const pending = survey
    ? waiting(survey)
    : now.packages.pending.filter((name) => !expected?.held.includes(name));
  if (expected?.upgraded && pending?.length !== 0) {
    return finding(
      'verify.packages',
      'block',
      `${pending?.length ?? 'an unknown number of'} packages still wait after the upgrade`,
      pending ?? undefined,
    );
  }
  const whole = survey ? 'nothing pending, nothing half installed' : 'nothing pending';
  const text = pending?.length === 0 ? whole : `${pending?.length ?? '?'} updates pending`;
  return finding('verify.packages', ...withLeftBack(text, survey));
}

/** What the administrator holds, or apt keeps back, is no update that waits: it stays as it is until a person decides. */
function withLeftBack(text: string, survey: Survey | null): ['pass' | 'warn', string] {
  const { held = [], keptBack = [] } = survey?.plan ?? {};
  const remarks = [
    ...(held.length > 0 ? [`held: ${held.join(', ')}`] : []),
    ...(keptBack.length > 0 ? [`kept back by apt: ${keptBack.join(', ')}`] : []),
  ];
  return remarks.length === 0 ? ['pass', text] : ['warn', [text, ...remarks].join('; ')];
}

const waiting = ({ plan }: Survey) =>
  plan ? [...plan.upgraded, ...plan.installed].map(({ name }) => name) : null;

function kernel(
  before: Baseline | null,
  { survey, state, hasGuest, packages: { kernels } }: ObservedHost,
  expected: Expectation | null,
): Finding {
  if (hasGuest && !survey) return finding('verify.kernel', 'block', 'the guest does not answer');
  const running = state.kernel;
  const installed = survey
    ? installedKernels(survey.installedPackages.keys())
    : bootableWithoutGuest(running, installedKernels(kernels));
  // The pin of a single boot is gone after it.
  const pinned = survey?.pinned ?? before?.pinned ?? null;
  const standing = kernelStanding({ running, installed, pinned });
  if (standing.kind === 'current') return finding('verify.kernel', 'pass', `${running} runs`);
  const text = `${running} runs, ${standing.newest} is installed`;
  if (standing.kind === 'pinned')
    return finding('verify.kernel', 'warn', `${text}: pinned in ${standing.pin.file}`);
  if (expected?.olderKernel) return finding('verify.kernel', 'warn', `${text}: it came after the boot`);
  if (!expected?.rebooted) return finding('verify.kernel', 'warn', text);
  return finding('verify.kernel', 'block', `${text}: see the boot loader and its menu`, [text]);
}

/** @param acceptable what a blocking finding says, item by item, where a person may answer for it */
function finding(
  id: VerifyId,
  status: Finding['status'],
  summary: string,
  acceptable?: readonly string[],
): Finding {
  const accept = status === 'block' && acceptable ? { acceptable } : {};
  return { id, status, summary, detail: {}, ...accept, retryAfter: null };
}
