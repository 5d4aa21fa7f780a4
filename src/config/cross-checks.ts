import type { z } from 'zod';
import type { config as schema } from './schema.js';
import { nearest, servedBy } from './target.js';

/**
 * What the parts of a config say against each other. Also of a config with other errors, so that all come at
 * once: what such an error stands in the way of is left out.
 */
export function crossChecks(raw: unknown, issues: readonly z.core.$ZodIssue[]): string[] {
  const wrong = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  );
  /** Nothing is wrong with it, with what it is in, or with anything in it. */
  const isClear = (...place: string[]) =>
    !wrong.some((path) => place.every((key, index) => path.length <= index || path[index] === key));
  /** It is there, even if something is wrong within. */
  const isReadable = (...place: string[]) =>
    !wrong.some((path) => path.length <= place.length && path.every((key, index) => place[index] === key));
  const config = (isReadable() ? raw : {}) as Partial<z.input<typeof schema>>;
  const clusters = isReadable('clusters') ? { ...config.clusters } : {};
  const hosts = Object.entries((isReadable('hosts') && config.hosts) || {})
    .filter(([name]) => isReadable('hosts', name))
    .map(([name, { guest, serves, upgrade }]) => ({
      name,
      guest: isClear('hosts', name, 'guest') ? guest : undefined,
      serves: isClear('hosts', name, 'serves') ? serves : undefined,
      via: isClear('hosts', name, 'upgrade') ? (upgrade?.via ?? 'guest-agent') : null,
    }));
  const problems: string[] = [];
  const unknown = (cluster: string) => {
    const near = nearest(cluster, Object.keys(clusters));
    const help = near
      ? `; did you mean "${near}"?`
      : ` (there is: ${Object.keys(clusters).join(', ') || 'none'})`;
    return `no cluster "${cluster}" is configured${help}`;
  };
  const guests = new Map<string, string>();
  for (const { name, guest, serves, via } of hosts) {
    if (guest && !clusters[guest.cluster])
      problems.push(`hosts.${name}.guest.cluster: ${unknown(guest.cluster)}`);
    for (const [index, cluster] of (serves ?? []).entries()) {
      if (!clusters[cluster]) problems.push(`hosts.${name}.serves.${index}: ${unknown(cluster)}`);
    }
    const isWithoutGuest = guest === undefined && isClear('hosts', name, 'guest');
    if (isWithoutGuest && via === 'guest-agent') {
      problems.push(
        `hosts.${name}.guest: missing; the upgrade runs through the guest agent of the VM, so name its cluster and vmid`,
      );
    }
    if (isWithoutGuest && servedBy({ guest, serves }).length === 0 && isClear('hosts', name, 'serves')) {
      problems.push(
        `hosts.${name}.serves: missing; without a guest the clusters that back up to this host have to be named`,
      );
    }
    const vm = guest && `${guest.cluster}/${guest.vmid}`;
    const other = vm && guests.get(vm);
    if (other) problems.push(`hosts.${name}.guest: guest ${vm} is that of host "${other}" already`);
    else if (vm) guests.set(vm, name);
  }
  // A guest that is not known may be the one that carries the lock.
  const knowsGuests = Object.keys(config.hosts ?? {}).every((name) => isClear('hosts', name, 'guest'));
  for (const cluster of Object.keys(clusters)) {
    const lock = clusters[cluster]?.lock;
    const hasCarrier = lock?.vmid !== undefined || hosts.some(({ guest }) => guest?.cluster === cluster);
    if (hasCarrier || lock?.store === 'registered-tag') continue;
    if (knowsGuests && isClear('clusters', cluster, 'lock')) {
      problems.push(
        `clusters.${cluster}.lock.vmid: missing; no host's guest is in this cluster, so no guest could carry the lock tag`,
      );
    }
  }
  return problems;
}
