import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import type { Member } from './fleet-next.js';

export interface FleetHost extends Member {
  readonly target: Target;
}

/**
 * A host with the clusters that it shares with others: by name, and by address too, since a config may
 * know one cluster under two names, whose lock is one all the same.
 */
export function fleetHost(config: Config, target: Target): FleetHost {
  const addresses = target.clusters.flatMap((name) => config.clusters[name]?.endpoints ?? []);
  return {
    target,
    clusters: new Set([
      ...target.clusters.map((name) => `cluster ${name}`),
      ...addresses.map((address) => new URL(address).host.toLowerCase()),
    ]),
  };
}
