import { oneOf, optional, text } from '../parameters.js';
import { ownerOf, type PveCluster } from './cluster.js';
import { versionOf } from './node-routes.js';
import { PveError, type PveRoute } from './server.js';
import { allowedTags } from './tags.js';

const root = (privilege: string) => () => ['/', [privilege]] as const;

/** What belongs to the cluster as a whole: membership, guests, options, tasks. */
export function clusterRoutes(cluster: PveCluster): PveRoute[] {
  const { access, nodes, guests, time } = cluster;
  const sees = (vmid: number) => access.has(`/vms/${vmid}`, 'VM.Audit');
  return [
    {
      method: 'GET',
      path: '/version',
      needs: null,
      // Of the node that is asked: during an upgrade of the cluster they differ.
      handle: ({ receiver }) => {
        const node = nodes.get(receiver);
        return node ? versionOf(node) : null;
      },
    },
    {
      method: 'GET',
      path: '/access/permissions',
      params: { path: optional(text), userid: optional(text) },
      needs: null,
      handle: ({ params }) => {
        const paths =
          params.path === undefined
            ? ['/', '/access', '/nodes', '/storage', '/vms', ...access.paths()]
            : [String(params.path)];
        const held = paths.map(
          (path) =>
            [
              path,
              Object.fromEntries(
                [...access.effective(path)].map(([name, spreads]) => [name, spreads ? 1 : 0]),
              ),
            ] as const,
        );
        return Object.fromEntries(held.filter(([, privileges]) => Object.keys(privileges).length > 0));
      },
    },
    {
      method: 'GET',
      path: '/access/users/{userid}',
      needs: () => ['/access/groups', ['User.Modify', 'Sys.Audit']] as const,
      handle: ({ params }) => {
        const tokens = access.tokensOf(String(params.userid));
        if (tokens.length === 0) throw new PveError(`no such user ('${params.userid}')`);
        return {
          enable: 1,
          expire: 0,
          groups: [],
          tokens: Object.fromEntries(
            tokens.map(([name, { expire, privsep }]) => [name, { expire, privsep: privsep ? 1 : 0 }]),
          ),
        };
      },
    },
    {
      method: 'GET',
      path: '/cluster/status',
      needs: root('Sys.Audit'),
      handle: ({ receiver }) => [
        {
          type: 'cluster',
          id: 'cluster',
          name: 'lab',
          nodes: nodes.size,
          version: 7,
          quorate: cluster.quorate ? 1 : 0,
        },
        ...[...nodes.values()].map(({ name, online }, index) => ({
          type: 'node',
          id: `node/${name}`,
          name,
          nodeid: index + 1,
          ip: `10.0.0.${11 + index}`,
          local: name === receiver ? 1 : 0,
          online: online ? 1 : 0,
          level: '',
        })),
      ],
    },
    {
      method: 'GET',
      path: '/cluster/resources',
      params: { type: optional(oneOf('vm', 'storage', 'node', 'sdn')) },
      needs: null,
      handle: ({ params }) => {
        const machines = [...guests.values()]
          .filter(({ vmid }) => sees(vmid))
          .map((guest) => ({
            id: `${guest.type}/${guest.vmid}`,
            type: guest.type,
            vmid: guest.vmid,
            node: guest.node,
            name: guest.name,
            status: guest.machine?.power ?? 'running',
            template: 0,
            uptime: 86_400,
            ...(guest.config.tags ? { tags: guest.config.tags } : {}),
            ...(guest.config.lock ? { lock: guest.config.lock } : {}),
          }));
        const members = [...nodes.values()].map((node) => ({
          id: `node/${node.name}`,
          type: 'node',
          node: node.name,
          status: node.online ? 'online' : 'offline',
          level: '',
          ...(access.has(`/nodes/${node.name}`, 'Sys.Audit') && node.online
            ? { uptime: time.now() - node.bootedAt }
            : {}),
          hastate: node.online ? (node.haMode === 'maintenance' ? 'maintenance' : 'online') : 'unknown',
        }));
        if (params.type === 'vm') return machines;
        if (params.type === 'node') return members;
        return params.type === undefined ? [...machines, ...members] : [];
      },
    },
    {
      method: 'GET',
      path: '/cluster/options',
      needs: null,
      handle: () => ({
        ...(access.has('/', 'Sys.Audit') ? { mac_prefix: 'BC:24:11' } : {}),
        ...(access.has('/', 'Sys.Audit') && cluster.registeredTags.length > 0
          ? { 'registered-tags': cluster.registeredTags }
          : {}),
        ...(access.has('/', 'Sys.Audit') && cluster.userTagAccess.allow !== 'free'
          ? { 'user-tag-access': userTagAccessOf(cluster) }
          : {}),
        'allowed-tags': allowedTags(cluster),
        ...tagStyleOf(cluster),
      }),
    },
    {
      method: 'PUT',
      path: '/cluster/options',
      params: {
        'registered-tags': optional({
          type: 'string',
          pattern: /^(?:[a-zA-Z0-9_][a-zA-Z0-9_+.-]*;)*[a-zA-Z0-9_][a-zA-Z0-9_+.-]*$/,
        }),
        delete: optional(text),
      },
      needs: root('Sys.Modify'),
      handle: ({ params }) => {
        if (!cluster.quorate) throw new PveError("cfs-lock 'file-datacenter_cfg' error: no quorum!");
        if (params['registered-tags'] !== undefined)
          cluster.registeredTags = String(params['registered-tags']).split(';');
        if (params.delete === 'registered-tags') cluster.registeredTags = [];
      },
    },
    {
      method: 'GET',
      path: '/cluster/tasks',
      needs: null,
      handle: ({ tokenId }) =>
        cluster.tasks
          // The caller's token counts, the task's does not: so a token never finds its own tasks this way.
          .filter(({ user }) => access.has('/', 'Sys.Audit') || ownerOf(user).user === tokenId)
          .map(({ upid, node, type, id, user, startedAt, endedAt, status }) => ({
            upid,
            node,
            type,
            id,
            ...ownerOf(user),
            starttime: startedAt,
            saved: endedAt === null ? '0' : '1',
            ...(endedAt === null ? { pid: 4711 } : { endtime: endedAt, status }),
          })),
    },
  ];
}

function userTagAccessOf({ userTagAccess: { allow, list } }: PveCluster) {
  return { 'user-allow': allow, ...(list.length > 0 ? { 'user-allow-list': list } : {}) };
}

function tagStyleOf({ tagStyle: { caseSensitive, keepsOrder } }: PveCluster) {
  if (!caseSensitive && !keepsOrder) return {};
  return {
    'tag-style': {
      ...(keepsOrder ? { ordering: 'config' } : {}),
      ...(caseSensitive ? { 'case-sensitive': 1 } : {}),
    },
  };
}
