import type { PveStorage } from '../api/pve.js';
import { servedBy } from '../config/target.js';
import { errorDocument } from '../fault.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';
import type { Finding } from '../journal/document.js';
import type { StorageSeen } from '../journal/inventory.js';
import { storagesSeen } from '../schedule/whose-storage.js';

/** The storages of the served clusters that lead here, as one online node of each sees them. */
export async function seeStorages(answers: Answers): Promise<StorageSeen[]> {
  const served = new Set(servedBy(answers.target.config));
  const clusters = answers.clusters.filter(({ name }) => served.has(name));
  return (await Promise.all(clusters.map((cluster) => seenIn(answers, cluster)))).flat();
}

async function seenIn(answers: Answers, cluster: ClusterAnswers): Promise<StorageSeen[]> {
  const [{ whose, disabled }, all, { nodes }] = await Promise.all([
    storagesSeen(answers, cluster),
    cluster.pve.storages(),
    cluster.pve.clusterStatus(),
  ]);
  const online = nodes.filter((node) => node.online).map(({ name }) => name);
  const here = all.filter(({ storage }) => whose.get(storage)?.is === 'here' && !disabled.has(storage));
  return Promise.all(
    here.flatMap(({ storage, nodes: only }) => {
      const node = online.toSorted().find((each) => only?.includes(each) ?? true);
      return node === undefined ? [] : [seen(cluster, storage, node)];
    }),
  );
}

async function seen({ name: cluster, pve }: ClusterAnswers, storage: string, node: string) {
  const active = await pve.storageActive(node, storage).catch(() => null);
  return { cluster, storage, node, active };
}

const nameOf = ({ cluster, storage }: StorageSeen) => `${storage} of cluster ${cluster}`;

/** What was wrong with storages before the run, a line each. */
export const storageRemarks = (seen: readonly StorageSeen[]): string[] =>
  seen.flatMap((each) =>
    each.active === true
      ? []
      : [`storage ${nameOf(each)} ${silence(each)} before the upgrade, so it is not compared`],
  );

const silence = ({ active, node }: StorageSeen) =>
  active === null ? `could not be asked on node ${node}` : `did not answer on node ${node}`;

/**
 * Does every storage that answered before answer still: with its password, its fingerprint and its datastore?
 * @param before null where that was not looked at
 */
export async function storagesFinding(
  answers: Answers,
  before: readonly StorageSeen[] | null,
): Promise<Finding> {
  const finding = (status: Finding['status'], summary: string): Finding => ({
    id: 'verify.storages',
    status,
    summary,
    detail: {},
    retryAfter: null,
  });
  let now: StorageSeen[];
  try {
    now = await seeStorages(answers);
  } catch (error) {
    return finding('block', `the storages that lead here cannot be seen: ${errorDocument(error).message}`);
  }
  const wanted = before?.filter(({ active }) => active === true).map(nameOf) ?? now.map(nameOf);
  const silent = now.filter((each) => each.active !== true && wanted.includes(nameOf(each)));
  const gone = wanted.filter((name) => !now.some((each) => nameOf(each) === name));
  if (silent.length + gone.length === 0)
    return finding('pass', now.length === 0 ? 'no storage leads here' : answering(now, wanted));
  const fixes = await fixesFor(answers, silent);
  const items = [
    ...silent.map((each) => `storage ${nameOf(each)} ${silence(each)}${reasonFor(each, fixes)}`),
    ...gone.map((name) => `storage ${name} is not there any more, or disabled, or no node can use it`),
  ];
  // Without a look from before it may have been so for long.
  if (before === null) return finding('warn', items.join('; '));
  return {
    ...finding('block', items.join('; ')),
    acceptable: items,
    fixes: [...fixes.values()].map(({ fix }) => fix),
  };
}

const answering = (now: readonly StorageSeen[], wanted: readonly string[]) => {
  const well = now.filter(({ active }) => active === true).length;
  const others = now.filter((each) => each.active !== true && !wanted.includes(nameOf(each)));
  const rest = others.length === 0 ? '' : `; ${others.map(nameOf).join(', ')} did not answer before either`;
  return `${well} storage${well === 1 ? '' : 's'} that lead${well === 1 ? 's' : ''} here answer${well === 1 ? 's' : ''}${rest}`;
};

interface Fixing {
  readonly why: string;
  readonly fix: { readonly where: string; readonly commands: readonly string[] };
}

const reasonFor = (each: StorageSeen, fixes: ReadonlyMap<string, Fixing>) => {
  const found = fixes.get(nameOf(each));
  return found ? `: ${found.why}` : '';
};

/** By the fingerprint that PBS tells of itself, and the one that the storage has pinned. */
async function fixesFor(
  { pbs, clusters }: Answers,
  silent: readonly StorageSeen[],
): Promise<ReadonlyMap<string, Fixing>> {
  const told = await pbs.nodeStatus().then(
    ({ fingerprint }) => fingerprint,
    () => null,
  );
  const found = await Promise.all(
    silent.map(async (each): Promise<readonly [string, Fixing]> => {
      const config = await clusters
        .find(({ name }) => name === each.cluster)
        ?.pve.storages()
        .then(
          (all) => all.find(({ storage }) => storage === each.storage),
          () => undefined,
        );
      return [nameOf(each), fixing(each, config, told)];
    }),
  );
  return new Map(found);
}

function fixing({ storage, node }: StorageSeen, config: PveStorage | undefined, told: string | null): Fixing {
  const pinned = config?.fingerprint ?? null;
  if (pinned !== null && told !== null && pinned.toLowerCase() !== told.toLowerCase())
    return {
      why: 'the fingerprint that PVE has pinned is not the one of now',
      fix: { where: node, commands: [`pvesm set ${storage} --fingerprint ${told.toLowerCase()}`] },
    };
  return {
    why: 'its user, password or datastore is not accepted, or the host is not reached',
    fix: { where: node, commands: [`pvesm status --storage ${storage}`, `pvesm set ${storage} --password`] },
  };
}
