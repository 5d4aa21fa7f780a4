import { filesOf } from './blobs.js';
import type { SimulatedGroup } from './contents.js';

/**
 * One line of the list of groups, or null where there is none.
 * @param newestMayBeUnfinished see {@link listsUnfinished}
 */
export function listedGroup(
  { type, id, owner, snapshots }: SimulatedGroup,
  newestMayBeUnfinished: boolean,
): Record<string, unknown> | null {
  if (owner === null || (newestMayBeUnfinished && snapshots.length === 0)) return null;
  const byAge = snapshots.toSorted((one, other) => other.time - one.time);
  const shown = newestMayBeUnfinished ? byAge[0] : (byAge.find(({ unfinished }) => !unfinished) ?? byAge[0]);
  return {
    'backup-type': type,
    'backup-id': id,
    owner,
    'backup-count': snapshots.length,
    'last-backup': shown?.time ?? 0,
    files: filesOf(shown),
  };
}

/**
 * Whether a proxy of this version names the newest snapshot of a group also while it is unfinished, and leaves out a
 * group without any: before 3.4.8, and from 4.0 to 4.0.17.
 */
export function listsUnfinished({
  version,
  release,
}: {
  readonly version: string;
  readonly release: string;
}) {
  const patch = Number(release);
  return (version === '3.4' && patch < 8) || (version === '4.0' && patch < 17);
}
