import { isTimeout } from '../api/failure.js';
import { type PbsPackage, usageOf } from '../api/pbs.js';
import { mountOf } from '../guest/mounts.js';
import type { Answers } from '../host/answers.js';
import type { DatastoreState, HostState } from '../journal/document.js';
import type { Baseline } from '../journal/records.js';
import { isoFromSeconds } from '../moment.js';
import { poolsUnder } from './pools.js';

/** The state of the host now, to compare with after the reboot. */
export async function takeBaseline(answers: Answers): Promise<Baseline> {
  const { pbs } = answers;
  const [state, { datastores }, { uptimeSeconds }, { epochSeconds }, services, survey] = await Promise.all([
    hostState(answers),
    pbs.datastoreConfigs(),
    pbs.nodeStatus(),
    pbs.time(),
    pbs.services(),
    answers.target.guest ? answers.survey() : null,
  ]);
  const passphrases = survey?.atBoot?.passphrases ?? [];
  const paths = datastores.map(({ path }) => path);
  return {
    state,
    pools: survey ? await poolsUnder(answers, survey, paths) : [],
    boot: { bootTime: epochSeconds - uptimeSeconds, bootId: survey?.bootId ?? null },
    mounts: survey
      ? datastores.map(({ name, path }) => ({ datastore: name, path, ...mountOf(path, survey.mounts) }))
      : [],
    failedUnits: [...(survey?.failedUnits ?? [])],
    services: services.filter(({ state }) => state === 'running').map(({ name }) => name),
    installed: Object.fromEntries(survey?.installedPackages ?? []),
    pinned: survey?.pinned ?? null,
    ...(passphrases.length > 0 ? { passphrases } : {}),
  };
}

/** Version, kernel, boot time and datastores as the API reports them. */
export async function hostState({ pbs }: Pick<Answers, 'pbs'>): Promise<HostState> {
  const [packages, status, time, datastores] = await Promise.all([
    pbs.packages(),
    pbs.nodeStatus(),
    pbs.time(),
    datastoreStates({ pbs }),
  ]);
  return {
    version: installedPbs(packages) ?? (await runningPbs({ pbs })),
    kernel: status.kernel,
    bootTime: isoFromSeconds(time.epochSeconds - status.uptimeSeconds),
    datastores,
  };
}

/** Package → version. Without a guest only those of PBS, as its API lists them. */
export async function installedNow({ pbs, target, survey }: Answers): Promise<ReadonlyMap<string, string>> {
  if (target.guest) return (await survey()).installedPackages;
  const packages = await pbs.packages();
  return new Map(packages.flatMap(({ name, installed }) => (installed === null ? [] : [[name, installed]])));
}

/** How far back the tasks of PBS are looked through. */
const TASKS = 200;

/** As of when the package lists are, epoch seconds: by the guest, else by the last refresh through PBS; null: not known. */
export async function listsAsOf({ pbs, target, survey }: Answers): Promise<number | null> {
  const inGuest = target.guest ? (await survey()).listsAt : null;
  if (inGuest !== null) return inGuest;
  const tasks = await pbs.recentTasks(TASKS).catch(() => []);
  const refreshes = tasks.filter(({ type, status }) => type === 'aptupdate' && status === 'OK');
  return Math.max(...refreshes.flatMap(({ endedAt }) => endedAt ?? []), 0) || null;
}

/** As installed; what runs may be older until its services are restarted. */
export const installedPbs = (packages: readonly PbsPackage[]): string | null =>
  packages.find(({ name }) => name === 'proxmox-backup-server')?.installed ?? null;

export const runningPbs = ({ pbs }: Pick<Answers, 'pbs'>): Promise<string> =>
  pbs.version().then(({ version, release }) => `${version}.${release}`);

/** Each datastore, also where PBS does not say how full it is. */
export async function datastoreStates({ pbs }: Pick<Answers, 'pbs'>): Promise<DatastoreState[]> {
  const [listed, usage] = await Promise.all([
    pbs.datastores(),
    usageOf(pbs).catch((error: unknown) => {
      if (isTimeout(error)) return `no answer: ${error.message}`;
      throw error;
    }),
  ]);
  return listed.map(({ name, mounted }) => {
    const used = typeof usage === 'string' ? undefined : usage.find((each) => each.name === name);
    const state =
      mounted === false || used?.mounted === false
        ? 'not mounted'
        : typeof usage === 'string'
          ? usage
          : used
            ? (used.error ?? 'ok')
            : 'not reported';
    return {
      name,
      state,
      total: used?.total ?? null,
      used: used?.used ?? null,
      available: used?.available ?? null,
    };
  });
}

/** Datastores with the same state together: a datastore that hangs gives many of them the same long words. */
export function byState(
  datastores: ReadonlyArray<{ readonly name: string; readonly state: string }>,
): Array<readonly [names: string, state: string]> {
  const names = new Map<string, string[]>();
  for (const { name, state } of datastores) names.set(state, [...(names.get(state) ?? []), name]);
  return [...names].map(([state, those]) => [those.join(', '), state]);
}
