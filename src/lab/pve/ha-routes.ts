import type { PveCluster } from './cluster.js';
import type { PveRoute } from './server.js';

const audit = () => ['/', ['Sys.Audit']] as const;

/** What the HA services say of the cluster. */
export function haRoutes(cluster: PveCluster): PveRoute[] {
  const { nodes, time } = cluster;
  return [
    {
      method: 'GET',
      path: '/cluster/ha/status/manager_status',
      needs: audit,
      handle: () => ({
        quorum: { node: [...nodes.keys()][0], quorate: cluster.quorate ? '1' : '' },
        manager_status: {
          master_node: [...nodes.keys()][0],
          timestamp: time.now(),
          node_status: Object.fromEntries(
            [...nodes.values()].map((node) => [
              node.name,
              node.online ? (node.haMode === 'maintenance' ? 'maintenance' : 'online') : 'unknown',
            ]),
          ),
          ...(anyInMaintenance(cluster) ? { node_request: anyInMaintenance(cluster) } : {}),
          service_status: {},
        },
        lrm_status: Object.fromEntries(
          [...nodes.values()].map((node) => [
            node.name,
            {
              mode: node.haMode,
              state: node.haMode === 'maintenance' ? 'maintenance' : 'active',
              timestamp: time.now() - (node.online ? 2 : 600),
              results: {},
            },
          ]),
        ),
      }),
    },
    {
      method: 'GET',
      path: '/cluster/ha/status/current',
      needs: audit,
      handle: () => [
        { id: 'quorum', type: 'quorum', node: [...nodes.keys()][0], status: 'OK', quorate: 1 },
        ...(cluster.version === '9.2'
          ? [
              {
                id: 'fencing',
                type: 'fencing',
                node: [...nodes.keys()][0],
                status: 'armed',
                'armed-state': 'armed',
              },
            ]
          : []),
      ],
    },
  ];
}

function anyInMaintenance({ nodes }: PveCluster): Record<string, { maintenance: number }> | null {
  const asked = [...nodes.values()].filter(({ haMode }) => haMode === 'maintenance');
  return asked.length === 0 ? null : Object.fromEntries(asked.map(({ name }) => [name, { maintenance: 1 }]));
}
