import type { BackupJob, PveStorage } from '../api/pve.js';
import type { Target } from '../config/target.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';

/** Where a backup goes: to this host, surely elsewhere, or unknown. */
type Destination = 'here' | 'elsewhere' | 'unknown';

/** An enabled backup job that writes to this host, or may. */
export interface WritingJob extends BackupJob {
  readonly destination: Exclude<Destination, 'elsewhere'>;
}

export async function writingJobs(answers: Answers, cluster: ClusterAnswers): Promise<WritingJob[]> {
  const { pve } = cluster;
  const [jobs, storages, { online }] = await Promise.all([
    pve.backupJobs(),
    storagesSeen(answers, cluster),
    pve.clusterStatus(),
  ]);
  const found = await Promise.all(
    jobs
      .filter(({ enabled }) => enabled)
      .map(async (job) => ({ job, destination: await destinationOfJob(job, pve, online, storages) })),
  );
  return found.flatMap(({ job, destination }) =>
    destination === 'elsewhere' ? [] : [{ ...job, destination }],
  );
}

/** The storages of a cluster that the token may see, and which of them are this host. */
export interface Storages {
  readonly seen: ReadonlySet<string>;
  readonly ours: ReadonlySet<string>;
}

export async function storagesSeen({ pbs, target }: Answers, { pve }: ClusterAnswers): Promise<Storages> {
  const [storages, { fingerprint }] = await Promise.all([pve.storages(), pbs.nodeStatus()]);
  return {
    seen: new Set(storages.map(({ storage }) => storage)),
    ours: storagesOfHost(storages, target, fingerprint),
  };
}

/**
 * Where a storage name leads. A name that is not among the storages proves nothing: the token may not be
 * allowed to see that one. Pure.
 */
export function destinationOf(name: string | null, { seen, ours }: Storages): Destination {
  if (name === null) return 'unknown';
  if (ours.has(name)) return 'here';
  return seen.has(name) ? 'elsewhere' : 'unknown';
}

/** A job without a storage writes to the default of each node that runs it. */
export async function destinationOfJob(
  { storage, node }: Pick<BackupJob, 'storage' | 'node'>,
  pve: Pick<ClusterAnswers['pve'], 'vzdumpStorage'>,
  online: readonly string[],
  storages: Storages,
): Promise<Destination> {
  if (storage !== null) return destinationOf(storage, storages);
  // A default that the token may not see, or whose node is offline, is unknown.
  const defaults = await Promise.all(
    (node === null ? online : [node]).map((each) => pve.vzdumpStorage(each).catch(() => null)),
  );
  const found = defaults.map((each) => destinationOf(each, storages));
  if (found.includes('here')) return 'here';
  return found.includes('unknown') || found.length === 0 ? 'unknown' : 'elsewhere';
}

/** The ports of an address without one: that of https, and that of a storage entry. */
const UNSAID_PORTS = [443, 8007];

/**
 * Names of the storages of a cluster that are this PBS: by address and port, or by the fingerprint of its
 * certificate. The port counts, since several hosts can stand behind one address.
 * @param fingerprint of the certificate that the PBS itself names, null where it names none
 */
function storagesOfHost(
  storages: readonly PveStorage[],
  target: Target,
  fingerprint: string | null,
): Set<string> {
  const own = placeOf(target.config.endpoint.replace(/^https:\/\//, ''));
  const ports = own.port === null ? UNSAID_PORTS : [own.port];
  const places = new Set(
    [own, ...target.config.addresses.map(placeOf)].flatMap(({ name, port }) =>
      (port === null ? ports : [port]).map((each) => `${name} ${each}`),
    ),
  );
  const prints = new Set(
    [fingerprint, ...(target.config.tls.fingerprints ?? [])].flatMap((each) => (each ? [bare(each)] : [])),
  );
  const isHost = ({ type, server, port, fingerprint: print }: PveStorage) =>
    type === 'pbs' &&
    ((server !== null && places.has(`${placeOf(server).name} ${port}`)) ||
      (print !== null && prints.has(bare(print))));
  return new Set(storages.filter(isHost).map(({ storage }) => storage));
}

const bare = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase();

/** Name and port of "host", "host:port", "fd00::5" or "[fd00::5]:port", in canonical spelling. */
function placeOf(address: string): { name: string; port: number | null } {
  const isPlainIpv6 = (address.match(/:/g)?.length ?? 0) > 1 && !address.startsWith('[');
  // Another scheme, since https would drop its default port.
  const url = `ssh://${isPlainIpv6 ? `[${address}]` : address}`;
  if (!URL.canParse(url)) return { name: address.toLowerCase(), port: null };
  const { hostname, port } = new URL(url);
  const name = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return { name, port: port === '' ? null : Number(port) };
}
