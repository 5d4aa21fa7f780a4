import { usageOf } from '../api/pbs.js';
import { mountOf } from '../guest/mounts.js';
import type { Answers } from '../host/answers.js';
import type { DatastoreState, HostState } from '../journal/document.js';
import type { Baseline } from '../journal/records.js';
import { isoFromSeconds } from '../moment.js';

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
  return {
    state,
    boot: { bootTime: epochSeconds - uptimeSeconds, bootId: survey?.bootId ?? null },
    mounts: survey
      ? datastores.map(({ name, path }) => ({ datastore: name, path, ...mountOf(path, survey.mounts) }))
      : [],
    failedUnits: [...(survey?.failedUnits ?? [])],
    services: services.filter(({ state }) => state === 'running').map(({ name }) => name),
    installed: Object.fromEntries(survey?.installedPackages ?? []),
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
  const installed = packages.find(({ name }) => name === 'proxmox-backup-server')?.installed;
  return {
    version: installed ?? (await pbs.version().then(({ version, release }) => `${version}.${release}`)),
    kernel: status.kernel,
    bootTime: isoFromSeconds(time.epochSeconds - status.uptimeSeconds),
    datastores,
  };
}

async function datastoreStates({ pbs }: Pick<Answers, 'pbs'>): Promise<DatastoreState[]> {
  const [listed, usage] = await Promise.all([pbs.datastores(), usageOf(pbs)]);
  return listed.map(({ name, mounted }) => {
    const used = usage.find((each) => each.name === name);
    const state = !used
      ? 'not reported'
      : mounted === false || used.mounted === false
        ? 'not mounted'
        : (used.error ?? 'ok');
    return {
      name,
      state,
      total: used?.total ?? null,
      used: used?.used ?? null,
      available: used?.available ?? null,
    };
  });
}
