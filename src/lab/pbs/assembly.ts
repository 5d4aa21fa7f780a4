import type { GuestMachine } from '../guest-machine.js';
import { accessRoutes } from './access-routes.js';
import { aptRoutes } from './apt-routes.js';
import { datastoreRoutes } from './datastore-routes.js';
import { PbsHost } from './host.js';
import { jobRoutes } from './job-routes.js';
import { logRoutes } from './log-routes.js';
import { nodeRoutes } from './node-routes.js';
import type { PbsHostOptions } from './state.js';
import { storeRoutes } from './store-routes.js';
import { taskRoutes } from './task-routes.js';

/** A host with every endpoint that is played. */
export function simulatedPbs<M extends GuestMachine>(options: PbsHostOptions<M>): PbsHost<M> {
  const host = new PbsHost(options);
  for (const of of [
    nodeRoutes,
    accessRoutes,
    aptRoutes,
    taskRoutes,
    logRoutes,
    datastoreRoutes,
    storeRoutes,
    jobRoutes,
  ])
    host.routes.push(...of(host));
  return host;
}
