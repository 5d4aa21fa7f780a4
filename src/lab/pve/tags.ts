import { type PveCluster, tagsOf } from './cluster.js';
import { PveError } from './server.js';

/** The tags that PVE offers to a token. Where all are free, others are allowed too. */
export function allowedTags({ access, guests, registeredTags, userTagAccess }: PveCluster): string[] {
  const { allow, list } = userTagAccess;
  const all = access.has('/', 'Sys.Modify');
  const used = [...guests.values()]
    .filter(({ vmid }) => all || access.has(`/vms/${vmid}`, 'VM.Audit'))
    .flatMap(tagsOf);
  const shown = all
    ? [...used, ...list, ...registeredTags]
    : [...(allow === 'none' ? [] : list), ...(allow === 'free' || allow === 'existing' ? used : [])];
  return [...new Set(shown)].filter((tag) => all || !registeredTags.includes(tag)).sort();
}

/**
 * Every tag that is added or removed is looked at, the others are not.
 * @throws PveError for one that the token may not change
 */
export function assertMayChange(cluster: PveCluster, changed: readonly string[]): void {
  const { access, registeredTags, userTagAccess } = cluster;
  if (access.has('/', 'Sys.Modify')) return;
  const refused = changed.find(
    (tag) =>
      registeredTags.includes(tag) || (userTagAccess.allow !== 'free' && !allowedTags(cluster).includes(tag)),
  );
  if (refused !== undefined)
    throw new PveError(`Permission check failed (/, Sys.Modify for modifying tag '${refused}')`, 403);
}
