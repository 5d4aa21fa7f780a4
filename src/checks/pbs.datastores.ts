import { type Datastore, type DatastoreUsage, usageOf } from '../api/pbs.js';
import { type ErrorDocument, errorDocument } from '../fault.js';
import { isOwnFence, runOfFence } from '../fence/mark.js';
import { mountOf } from '../guest/mounts.js';
import type { Symptoms } from '../guest/symptoms.js';
import { type Answers, InContainer } from '../host/answers.js';
import type { Pool } from '../journal/records.js';
import { locksAt } from '../lock/tag.js';
import { ALWAYS } from '../rules/rounds.js';
import { symptomsFor } from '../rules/symptoms.js';
import { block, check, pass, warn } from './check.js';
import { byState } from './host-state.js';
import { poolsUnder } from './pools.js';

interface Seen {
  readonly datastores: readonly Datastore[];
  readonly usage: readonly DatastoreUsage[];
  readonly paths: ReadonlyMap<string, string>;
  readonly pools?: readonly Pool[];
  readonly survey: Symptoms | null;
  /** Why there is none. */
  readonly surveyError: Pick<ErrorDocument, 'code' | 'message'> | null;
  readonly needsSurvey: boolean;
  /** Fences of runs that no lock and no journal here accounts for: no one would lift them. */
  readonly orphans: ReadonlyArray<{ readonly datastore: string; readonly run: string }>;
}

/** Is every datastore there, accessible, free of errors and on its own file system? */
export const pbsDatastores = check({
  id: 'pbs.datastores',
  rules: { rounds: [...ALWAYS, 'unfence'] },
  async look(answers): Promise<Seen> {
    const { pbs, target } = answers;
    const [datastores, usage, configs, survey] = await Promise.all([
      pbs.datastores(),
      usageOf(pbs),
      pbs.datastoreConfigs(),
      answers
        .survey()
        // Of a container nothing can be seen, which guest.vm says.
        .catch((error: unknown) => (error instanceof InContainer ? null : errorDocument(error))),
    ]);
    const seen = survey && 'bootId' in survey ? survey : null;
    const paths = new Map(configs.datastores.map(({ name, path }) => [name, path]));
    return {
      datastores,
      usage,
      paths,
      pools: seen ? await poolsUnder(answers, seen, paths.values()) : [],
      survey: seen,
      surveyError: survey && 'code' in survey ? survey : null,
      needsSurvey: target.guest !== null,
      orphans: await orphansIn(answers, datastores),
    };
  },
  judge(
    { datastores, usage, paths, pools = [], survey, surveyError, needsSurvey, orphans },
    { ownRun, round, target: { host, policy } },
  ) {
    if (datastores.length === 0) return block('no datastore is visible to the token');
    const problems: string[] = [];
    const broken: { name: string; state: string }[] = [];
    const remarks: string[] = [];
    const away: string[] = [];
    const looked = new Map<string, string>();
    const refreshing = datastores.filter(({ maintenance }) => maintenance?.type === 's3-refresh');
    // Nothing else ends the mode where the task is over.
    const fixes = refreshing.map(({ name }) => ({
      where: `${host}, if no s3-refresh task is running`,
      commands: [`proxmox-backup-manager datastore update ${name} --delete maintenance-mode`],
    }));
    for (const { datastore, run } of round === 'unfence' ? [] : orphans)
      problems.push(
        `${datastore} is fenced by run ${run}, which has no lock in the clusters and no journal here to lift it`,
      );
    if (orphans.length > 0)
      fixes.push({
        where: 'controller, once that run is surely over',
        commands: [`pbs-ctl recover --host ${host} --lift-fence`],
      });
    for (const { name, maintenance, mounted } of datastores) {
      // A mode of another user does not keep the others fenced.
      if (round === 'unfence' && maintenance !== null && !isOwnFence(maintenance, ownRun ?? '')) continue;
      const used = usage.find((each) => each.name === name);
      const own = ownRun !== null && isOwnFence(maintenance, ownRun);
      if (maintenance && maintenance.type !== 'read-only')
        problems.push(
          `${name} is in maintenance mode ${maintenance.type}${maintenance.message ? ` (${maintenance.message})` : ''}${maintenance.type === 's3-refresh' ? ', which stays set when its task fails' : ''}`,
        );
      else if (maintenance && !own && !orphans.some(({ datastore }) => datastore === name))
        remarks.push(`${name} is read-only, set by ${fencedBy(maintenance)}`);
      if (mounted === false || used?.mounted === false) {
        if (policy.mayBeAway.includes(name)) remarks.push(`${name} is away, which mayBeAway allows`);
        else away.push(name);
        continue;
      }
      if (!used) problems.push(`${name} reports no usage`);
      else if (used.error !== null) broken.push({ name, state: used.error });
      const path = paths.get(name);
      if (survey && path !== undefined) looked.set(name, path);
    }
    const symptoms = survey ? symptomsFor('pbs.datastores', survey, looked) : [];
    for (const { summary, blocks } of symptoms) (blocks ? problems : remarks).push(summary);
    // Fences go by the configuration, everything else by the list: what only one of them knows is not fenced, or not seen.
    const listed = new Set(datastores.map(({ name }) => name));
    const unconfigured = [...listed].filter((name) => !paths.has(name));
    const unlisted = [...paths.keys()].filter((name) => !listed.has(name));
    if (unconfigured.length > 0)
      problems.push(`${unconfigured.join(', ')} is listed by PBS and missing in its configuration`);
    if (unlisted.length > 0)
      problems.push(`${unlisted.join(', ')} is configured and not among the datastores that PBS lists`);
    const missing = symptoms.some(({ kind }) => kind === 'not-mounted');
    for (const [name, path] of survey && !missing ? looked : [])
      if (mountOf(path, survey?.mounts ?? []).target === '/')
        remarks.push(`${name} shares the root file system`);
    for (const { name, health } of pools) if (health !== 'ONLINE') remarks.push(`pool ${name} is ${health}`);
    problems.unshift(...byState(broken).map(([names, state]) => `${names}: ${state}`));
    problems.unshift(...away.map((name) => `${name} is not mounted`));
    const removable = away.filter((name) =>
      datastores.some((each) => each.name === name && each.mounted === false),
    );
    const hint =
      removable.length > 0
        ? {
            hint: `Where it is removable and may be away, add it to policy.mayBeAway: ${removable.join(', ')}.`,
          }
        : {};
    if (problems.length > 0) return { ...block(problems.join('; '), hint), fixes };
    if (needsSurvey && !survey && surveyError)
      return block(`the mounts cannot be seen: ${surveyError.message}`, { error: surveyError.code });
    const here =
      datastores.length -
      datastores.filter(({ name, mounted }) => mounted === false && policy.mayBeAway.includes(name)).length;
    const all = `${here} present and accessible`;
    return remarks.length > 0 ? warn(`${all}; ${remarks.join('; ')}`) : pass(all);
  },
});

const fencedBy = (maintenance: Datastore['maintenance']) => {
  const run = runOfFence(maintenance);
  return run === null ? 'another user' : `run ${run}`;
};

async function orphansIn({ clusters, ownRun, accountsFor }: Answers, datastores: readonly Datastore[]) {
  const fences = datastores.flatMap(({ name: datastore, maintenance }) => {
    const run = runOfFence(maintenance);
    return run === null || run === ownRun || accountsFor(run) ? [] : [{ datastore, run }];
  });
  if (fences.length === 0) return [];
  const locks = await Promise.all(
    clusters.map(async ({ pve, config }) => {
      const [guests, { registeredTags }] = await Promise.all([pve.guests(), pve.clusterOptions()]);
      const places = [
        { place: null, tags: registeredTags },
        ...guests.map(({ vmid, tags }) => ({ place: vmid, tags })),
      ];
      return locksAt(config.lock.tag, places);
    }),
  );
  const holders = new Set(locks.flat().flatMap(({ lock }) => (lock === 'unreadable' ? [] : [lock.run])));
  return fences.filter(({ run }) => !holders.has(run));
}
