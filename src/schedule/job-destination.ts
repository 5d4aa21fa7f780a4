import type { BackupJob, PveStorage } from '../api/pve.js';
import type { PveAnswers } from '../host/answer-cache.js';
import { type Destination, destinationOf } from './storage-match.js';

/** A job without a storage of its own writes to the default of each node that runs it. */
export async function destinationOfJob(
  { storage, node }: BackupJob,
  pve: PveAnswers,
  online: readonly string[],
  storages: readonly PveStorage[],
  ours: ReadonlySet<string>,
): Promise<Destination> {
  if (storage !== null) return destinationOf(storage, storages, ours);
  // A default that must not be seen, or whose node is away, is not known.
  const defaults = await Promise.all(
    (node === null ? online : [node]).map((each) => pve.vzdumpStorage(each).catch(() => null)),
  );
  const found = defaults.map((each) => destinationOf(each, storages, ours));
  if (found.includes('here')) return 'here';
  return found.includes('unknown') || found.length === 0 ? 'unknown' : 'elsewhere';
}
