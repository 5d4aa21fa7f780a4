import { Cluster } from './cluster.js';
import { Endpoint } from './endpoint.js';
import { Pbs } from './pbs.js';
import { Pve } from './pve.js';
import type { ServerOptions } from './request.js';

export type { ServerOptions } from './request.js';

/** A client of one PBS host. Connects with its first request. */
export function connectPbs(options: ServerOptions): Pbs {
  const endpoint = new Endpoint('pbs', firstOf(options), options);
  const { requestTimeoutMs, deadline, world } = options;
  const limits = { requestTimeoutMs, together: deadline !== undefined, clock: world.clock };
  return new Pbs(endpoint, limits);
}

/** A client of one PVE cluster, which may have several addresses. Connects with its first request. */
export function connectPve(options: ServerOptions): Pve {
  firstOf(options);
  return new Pve(options.name, new Cluster(options));
}

function firstOf({ name, endpoints: [first] }: ServerOptions): string {
  if (first === undefined) throw new RangeError(`"${name}" has no endpoint`);
  return first;
}
