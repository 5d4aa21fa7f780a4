import { agentRoutes } from './agent-routes.js';
import { backupRoutes } from './backup-routes.js';
import { PveCluster, type PveClusterOptions } from './cluster.js';
import { clusterRoutes } from './cluster-routes.js';
import { consoleRoutes } from './console-routes.js';
import { Consoles } from './consoles.js';
import { guestRoutes } from './guest-routes.js';
import { haRoutes } from './ha-routes.js';
import { nodeRoutes } from './node-routes.js';
import { pveServer } from './server.js';
import { websocketOf } from './websocket.js';

/** A cluster with every endpoint that is played, and a server for each of its nodes. */
export function simulatedPve(options: PveClusterOptions): PveCluster {
  const cluster = new PveCluster(options);
  const { routes, servers, nodes, access, record, time } = cluster;
  const consoles = new Consoles(cluster);
  for (const of of [clusterRoutes, backupRoutes, haRoutes, nodeRoutes, guestRoutes, agentRoutes])
    routes.push(...of(cluster));
  routes.push(...consoleRoutes(cluster, consoles));
  for (const node of nodes.keys()) {
    const server = pveServer({
      node,
      routes,
      access,
      record,
      time,
      isReachable: (name) => {
        const target = nodes.get(name);
        return target?.online === true && (name === node || !target.unreachable);
      },
      knowsNode: (name) => nodes.has(name),
    });
    server.upgrade = websocketOf(cluster, consoles, node);
    servers.push(server);
  }
  return cluster;
}
