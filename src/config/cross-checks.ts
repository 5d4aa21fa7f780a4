import { z } from 'zod';
import { lockGuest, nearest, servedBy } from './target.js';

const named = <Value extends z.ZodType>(value: Value) => z.record(z.string(), value);

/** What the cross-checks look at, of a config that may be wrong anywhere. */
const outline = z
  .object({
    clusters: named(
      z
        .object({ lock: z.object({ store: z.string(), vmid: z.number() }).partial().catch({}) })
        .catch({ lock: {} }),
    ).catch({}),
    hosts: named(
      z
        .object({
          guest: z.object({ cluster: z.string(), vmid: z.number() }).optional().catch(undefined),
          serves: z.array(z.string()).optional().catch(undefined),
          upgrade: z.object({ via: z.string() }).catch({ via: 'guest-agent' }),
        })
        .catch({ upgrade: { via: '' } }),
    ).catch({}),
  })
  .catch({ clusters: {}, hosts: {} });

/**
 * What the parts of a config say against each other. Also of a config with other errors, so that all come at
 * once: what such an error stands in the way of is left out.
 */
export function crossChecks(raw: unknown, issues: readonly z.core.$ZodIssue[]): string[] {
  const config = outline.parse(raw);
  const problems: string[] = [];
  const wrong = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  );
  const isClear = (...place: string[]) =>
    !wrong.some((path) => place.every((key, index) => path.length <= index || path[index] === key));
  const clusters = Object.keys(config.clusters);
  const unknown = (name: string) => {
    const near = nearest(name, clusters);
    return `no cluster "${name}" is configured${near ? `; did you mean "${near}"?` : ` (there is: ${clusters.join(', ') || 'none'})`}`;
  };
  const guests = new Map<string, string>();
  for (const [name, host] of Object.entries(config.hosts)) {
    if (host.guest && !config.clusters[host.guest.cluster])
      problems.push(`hosts.${name}.guest.cluster: ${unknown(host.guest.cluster)}`);
    for (const [index, cluster] of (host.serves ?? []).entries()) {
      if (!config.clusters[cluster]) problems.push(`hosts.${name}.serves.${index}: ${unknown(cluster)}`);
    }
    const knowsGuest = host.guest !== undefined || !isClear('hosts', name, 'guest');
    if (!knowsGuest && host.upgrade.via === 'guest-agent') {
      problems.push(
        `hosts.${name}.guest: missing; the upgrade runs through the guest agent of the VM, so name its cluster and vmid`,
      );
    }
    if (!knowsGuest && servedBy(host).length === 0 && isClear('hosts', name, 'serves')) {
      problems.push(
        `hosts.${name}.serves: missing; without a guest the clusters that back up to this host have to be named`,
      );
    }
    const guest = host.guest && `${host.guest.cluster}/${host.guest.vmid}`;
    const other = guest && guests.get(guest);
    if (other) problems.push(`hosts.${name}.guest: guest ${guest} is that of host "${other}" already`);
    else if (guest) guests.set(guest, name);
  }
  const knowsGuests = Object.keys(config.hosts).every((name) => isClear('hosts', name, 'guest'));
  for (const cluster of clusters) {
    const anchored =
      config.clusters[cluster]?.lock.store === 'registered-tag' || lockGuest(config, cluster) !== null;
    if (!anchored && knowsGuests && isClear('clusters', cluster, 'lock')) {
      problems.push(
        `clusters.${cluster}.lock.vmid: missing; no host's guest is in this cluster, so no guest could carry the lock tag`,
      );
    }
  }
  return problems;
}
