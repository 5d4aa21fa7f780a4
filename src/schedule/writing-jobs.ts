import type { BackupJob } from '../api/pve.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';
import { type Storages, storagesSeen } from './whose-storage.js';

/** Where a backup goes: to this host, surely elsewhere, or unknown. */
type Destination = 'here' | 'elsewhere' | 'unknown';

/** An enabled backup job that a run must not meet. */
export interface WritingJob extends BackupJob {
  readonly destination: Destination;
  /** Guests that it backs up and that a run needs: the VM of this host, the lock carrier. */
  readonly needed: readonly number[];
  /** What is not known of it; null where all is. */
  readonly doubt: string | null;
}

/** Jobs that write to this host, or may, and those that back up a guest that a run needs, wherever they write. */
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
      .map(async (job): Promise<WritingJob> => {
        const [destination, needed] = await Promise.all([
          destinationOfJob(job, pve, online, storages),
          neededIn(job, cluster, guestsNeeded(answers, cluster)),
        ]);
        return { ...job, destination, needed, doubt: doubtOf(job.storage, storages) };
      }),
  );
  return found.filter(({ destination, needed }) => destination !== 'elsewhere' || needed.length > 0);
}

/** Guests of a cluster whose config a run needs to be free: a backup locks it. */
export const guestsNeeded = (
  { target: { guest } }: Pick<Answers, 'target'>,
  { name, lockVmid }: Pick<ClusterAnswers, 'name' | 'lockVmid'>,
): number[] => [
  ...new Set([...(guest?.cluster === name ? [guest.vmid] : []), ...(lockVmid ? [lockVmid] : [])]),
];

/** Why it is not known where a storage leads; null where it is, or is not named. */
export function doubtOf(name: string | null, { whose }: Storages): string | null {
  if (name === null) return null;
  const found = whose.get(name);
  if (!found) return `the token cannot see ${name}`;
  return found.is === 'unknown' ? `${name}: ${found.why}` : null;
}

/** Where a storage name leads. One that is not listed proves nothing: the token may not be allowed to see it. Pure. */
export function destinationOf(name: string | null, { whose }: Pick<Storages, 'whose'>): Destination {
  if (name === null) return 'unknown';
  const { is = 'unknown' } = whose.get(name) ?? {};
  return is === 'here' || is === 'unknown' ? is : 'elsewhere';
}

/** A job without a storage writes to the default of each node that runs it. */
export async function destinationOfJob(
  { storage, node }: Pick<BackupJob, 'storage' | 'node'>,
  pve: Pick<ClusterAnswers['pve'], 'vzdumpStorage'>,
  online: readonly string[],
  storages: Storages,
): Promise<Destination> {
  if (storage !== null)
    return storages.disabled.has(storage) ? 'elsewhere' : destinationOf(storage, storages);
  // A default that the token may not see, or whose node is offline, is unknown.
  const defaults = await Promise.all(
    (node === null ? online : [node]).map((each) => pve.vzdumpStorage(each).catch(() => null)),
  );
  const found = defaults.map((each) => destinationOf(each, storages));
  if (found.includes('here')) return 'here';
  return found.includes('unknown') || found.length === 0 ? 'unknown' : 'elsewhere';
}

/** Those of some guests that a job backs up. */
async function neededIn(
  { id, node, vmids, all, pool, exclude }: BackupJob,
  { pve }: ClusterAnswers,
  guests: readonly number[],
): Promise<number[]> {
  if (guests.length === 0) return [];
  if (pool !== null) {
    // What cannot be seen may be in it.
    const members = await pve.jobGuests(id).catch(() => guests);
    return guests.filter((each) => members.includes(each));
  }
  const named = guests.filter((each) => (all ? !exclude.includes(each) : vmids.includes(each)));
  if (node === null || named.length === 0) return named;
  // A job of one node leaves out what is on another.
  const away = new Set((await pve.guests()).flatMap((each) => (each.node === node ? [] : [each.vmid])));
  return named.filter((each) => !away.has(each));
}
