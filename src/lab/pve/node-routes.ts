import { flag, optional, text, whole } from '../parameters.js';
import { ownerOf, type PveCluster } from './cluster.js';
import { type PveCall, PveError, type PveRoute } from './server.js';
import type { SimulatedNode } from './state.js';

/** Where vzdump writes to when neither job nor node says otherwise. */
const DEFAULT_STORAGE = 'local';

/** Of the API daemons that run on a node. */
export function versionOf({ packages, runningManager }: SimulatedNode) {
  const installed = packages.find(({ name }) => name === 'pve-manager')?.version ?? '';
  const version = runningManager ?? installed;
  return { version, release: version.split('.').slice(0, 2).join('.'), repoid: '0123456789abcdef' };
}

/** What a single node answers: its state, clock, packages and tasks. */
export function nodeRoutes(cluster: PveCluster): PveRoute[] {
  const { access, nodes, time } = cluster;
  const audit = (params: Readonly<Record<string, unknown>>) =>
    [`/nodes/${params.node}`, ['Sys.Audit']] as const;
  const node = (params: Readonly<Record<string, unknown>>) => {
    const found = nodes.get(String(params.node));
    if (!found) throw new PveError(`hostname lookup '${params.node}' failed`);
    return found;
  };
  const kernelOf = (name: string) =>
    nodes.get(name)?.runningKernel ??
    nodes
      .get(name)
      ?.packages.flatMap(({ name: each }) => /^proxmox-kernel-(.*-pve)-signed$/.exec(each)?.[1] ?? [])
      .at(0) ??
    '';
  const sees = (user: string, where: string, tokenId: string) =>
    user === tokenId || access.has(`/nodes/${where}`, 'Sys.Audit');
  const task = ({ params, tokenId }: PveCall) => {
    const found = cluster.tasks.find(
      ({ upid, node: where }) => upid === params.upid && where === params.node,
    );
    if (!found) throw new PveError('Parameter verification failed.', 400, { upid: 'no such task' });
    if (!sees(found.user, found.node, tokenId))
      throw new PveError(`Permission check failed (/nodes/${params.node}, Sys.Audit)`, 403);
    return found;
  };
  return [
    {
      method: 'GET',
      path: '/nodes',
      needs: null,
      handle: () =>
        [...nodes.values()].map(({ name, online }) => ({
          node: name,
          type: 'node',
          id: `node/${name}`,
          status: online ? 'online' : 'offline',
          ssl_fingerprint: cluster.servers.find((server) => server.name === name)?.fingerprint,
        })),
    },
    {
      method: 'GET',
      path: '/nodes/{node}/version',
      needs: null,
      proxied: true,
      handle: ({ params }) => versionOf(node(params)),
    },
    {
      method: 'GET',
      path: '/nodes/{node}/status',
      needs: audit,
      proxied: true,
      handle: ({ params }) => {
        const { name, bootedAt, packages } = node(params);
        const release = kernelOf(name);
        return {
          uptime: time.now() - bootedAt,
          kversion: `Linux ${release} #1 SMP`,
          'current-kernel': {
            sysname: 'Linux',
            release,
            version: '#1 SMP PREEMPT_DYNAMIC',
            machine: 'x86_64',
          },
          pveversion: `pve-manager/${packages.find((each) => each.name === 'pve-manager')?.version}/0123456789abcdef`,
          loadavg: ['0.10', '0.20', '0.15'],
          cpu: 0.02,
          cpuinfo: { model: 'QEMU Virtual CPU', sockets: 1, cores: 4, cpus: 4 },
          memory: {
            total: 64e9,
            used: 16e9,
            free: 48e9,
            ...(cluster.version === '9.2' ? { available: 48e9 } : {}),
          },
          rootfs: { total: 64e9, used: 8e9, free: 56e9, avail: 56e9 },
          'boot-info': { mode: 'efi', secureboot: 0 },
        };
      },
    },
    {
      method: 'GET',
      path: '/nodes/{node}/time',
      needs: audit,
      proxied: true,
      handle: ({ params }) => {
        const { clockOffset, timezone } = node(params);
        const now = time.now() + clockOffset;
        return { timezone, time: now, localtime: now };
      },
    },
    {
      method: 'GET',
      path: '/nodes/{node}/apt/versions',
      needs: audit,
      proxied: true,
      handle: ({ params }) =>
        node(params).packages.map(({ name, state, version }) => ({
          Package: name,
          CurrentState: state,
          OldVersion: version,
          Version: version,
          Title: name,
          Description: name,
          Arch: 'amd64',
          Origin: 'Proxmox',
          Priority: 'optional',
          Section: 'admin',
          ...(name === 'proxmox-ve' ? { RunningKernel: kernelOf(String(params.node)) } : {}),
          ...(name === 'pve-manager' ? { ManagerVersion: node(params).runningManager ?? version } : {}),
        })),
    },
    {
      method: 'GET',
      path: '/nodes/{node}/tasks',
      params: {
        source: optional({ type: 'string', values: ['archive', 'active', 'all'] }),
        start: optional(whole),
        limit: optional(whole),
        typefilter: optional(text),
        vmid: optional(whole),
        since: optional(whole),
        until: optional(whole),
        userfilter: optional(text),
        errors: optional(flag),
        statusfilter: optional(text),
      },
      needs: null,
      proxied: true,
      handle: ({ params, tokenId }) => {
        const source = String(params.source ?? 'archive');
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        return cluster.tasks
          .filter(
            ({ node: where, endedAt }) =>
              where === params.node && (source === 'all' || (source === 'active') === (endedAt === null)),
          )
          .filter(
            ({ type, id, user, startedAt }) =>
              sees(user, String(params.node), tokenId) &&
              (params.typefilter ?? type) === type &&
              (params.vmid === undefined || String(params.vmid) === id) &&
              startedAt >= Number(params.since ?? 0),
          )
          .slice(Number(params.start ?? 0), Number(params.start ?? 0) + limit)
          .map(({ upid, node: where, type, id, user, startedAt, endedAt, status }) => ({
            upid,
            node: where,
            type,
            id,
            user,
            pid: 4711,
            pstart: 1,
            starttime: startedAt,
            ...(endedAt === null ? { status: 'RUNNING' } : { endtime: endedAt, status }),
          }));
      },
    },
    {
      method: 'GET',
      path: '/nodes/{node}/tasks/{upid}/status',
      needs: null,
      proxied: true,
      handle: (call) => {
        const { upid, node: where, type, id, user, startedAt, endedAt, status } = task(call);
        return {
          upid,
          node: where,
          pid: 4711,
          pstart: 1,
          starttime: startedAt,
          type,
          id,
          ...ownerOf(user),
          status: endedAt === null ? 'running' : 'stopped',
          ...(endedAt === null ? {} : { exitstatus: status }),
        };
      },
    },
    {
      method: 'GET',
      path: '/nodes/{node}/tasks/{upid}/log',
      params: { start: optional(whole), limit: optional(whole), download: optional(flag) },
      needs: null,
      proxied: true,
      handle: (call) => {
        const { params } = call;
        const lines = task(call).log;
        const start = Number(params.start ?? 0);
        const limit = Number(params.limit ?? 50);
        const page = (lines.length > 0 ? lines : ['no content']).slice(
          start,
          limit === 0 ? undefined : start + limit,
        );
        return page.map((line, index) => ({ n: start + index + 1, t: line }));
      },
    },
    {
      method: 'GET',
      path: '/nodes/{node}/vzdump/defaults',
      params: { storage: optional(text) },
      needs: null,
      proxied: true,
      handle: ({ params }) => {
        const storage = `/storage/${String(params.storage ?? DEFAULT_STORAGE)}`;
        if (!['Datastore.Audit', 'Datastore.AllocateSpace'].some((each) => access.has(storage, each)))
          throw new PveError(
            `Permission check failed (${storage}, Datastore.Audit|Datastore.AllocateSpace)`,
            403,
          );
        return { storage: DEFAULT_STORAGE, mode: 'snapshot' };
      },
    },
  ];
}
