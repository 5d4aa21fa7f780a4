import { flag, oneOf, optional, text, whole } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost, PbsTask } from './host.js';
import { CUT, type PbsCall, PbsError, type PbsRoute, WithAttributes } from './server.js';

/** The host itself: version, power, packages, services, tasks. */
export function nodeRoutes(host: PbsHost): PbsRoute[] {
  const { access, machine } = host;
  const differs = DIFFERENCES[host.version];
  const on = (path: string, privilege: string) => () => [path, [privilege]] as const;
  const task = ({ params, tokenId }: PbsCall): PbsTask | undefined => {
    const found = host.tasks.find(({ upid }) => upid === params.upid);
    if (found && found.user !== tokenId && !access.has('/system/tasks', 'Sys.Audit'))
      throw new PbsError('task access not allowed');
    return found;
  };
  const oldVersion = (version: string | undefined) => {
    if (version) return { OldVersion: version };
    return differs.notInstalled;
  };
  return [
    { method: 'GET', path: '/ping', needs: 'world', handle: () => ({ pong: true }) },
    {
      method: 'GET',
      path: '/version',
      needs: null,
      handle: () => ({ version: host.version, release: differs.release, repoid: 'a'.repeat(40) }),
    },
    {
      method: 'GET',
      path: '/access/permissions',
      params: { path: optional(text), 'auth-id': optional(text) },
      needs: null,
      handle: ({ params }) => {
        const paths =
          params.path === undefined
            ? ['/', '/access', '/datastore', '/remote', '/system', ...access.paths()]
            : [String(params.path)];
        const held = paths.map((path) => [path, Object.fromEntries(access.effective(path))] as const);
        return Object.fromEntries(held.filter(([, privileges]) => Object.keys(privileges).length > 0));
      },
    },
    {
      method: 'GET',
      path: '/access/users/{userid}/token/{token-name}',
      needs: on('/access/users', 'Sys.Audit'),
      handle: ({ params }) => {
        const id = `${params.userid}!${params['token-name']}`;
        const found = access.tokensOf(String(params.userid)).find(([name]) => name === params['token-name']);
        if (!found) throw new PbsError(`no such token '${id}'`, 400);
        const [, { expire }] = found;
        return { tokenid: id, ...(expire === 0 ? {} : { expire }) };
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/status',
      needs: on('/system/status', 'Sys.Audit'),
      handle: async () => {
        const { uptimeSeconds, kernel, root } = await machine.vitals();
        return {
          uptime: uptimeSeconds,
          root: { total: root.total, used: root.used, avail: root.available },
          memory: { total: 8e9, used: 2e9, free: 6e9 },
          swap: { total: 0, used: 0, free: 0 },
          cpu: 0.02,
          wait: 0,
          loadavg: [0.1, 0.2, 0.15],
          cpuinfo: { model: 'QEMU Virtual CPU', sockets: 1, cpus: 4 },
          'current-kernel': {
            sysname: 'Linux',
            release: kernel,
            version: '#1 SMP PREEMPT_DYNAMIC',
            machine: 'x86_64',
          },
          kversion: `Linux ${kernel} #1 SMP PREEMPT_DYNAMIC`,
          info: { fingerprint: host.server.fingerprint.toLowerCase() },
          'boot-info': { mode: 'efi', secureboot: false },
        };
      },
    },
    {
      method: 'POST',
      path: '/nodes/localhost/status',
      params: { command: oneOf('reboot', 'shutdown') },
      needs: on('/system/status', 'Sys.PowerManagement'),
      daemon: true,
      handle: async () => {
        await machine.reboot();
        return host.trouble.losesRebootAnswer ? CUT : null;
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/time',
      needs: null,
      handle: async () => {
        const { epochSeconds } = await machine.vitals();
        return { timezone: 'UTC', time: epochSeconds, localtime: epochSeconds };
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/apt/update',
      needs: on('/', 'Sys.Audit'),
      daemon: true,
      handle: async () =>
        (await machine.pendingUpgrades())
          .filter((change) => change.to !== undefined)
          .map(({ name, from, to, origin }) => ({
            Package: name,
            Title: name,
            Arch: 'amd64',
            Description: name,
            Version: to,
            ...oldVersion(from),
            Origin: origin?.split(':')[0] ?? 'Proxmox',
            Priority: 'optional',
            Section: 'admin',
          })),
    },
    {
      method: 'POST',
      path: '/nodes/localhost/apt/update',
      params: { notify: optional(flag), quiet: optional(flag) },
      needs: on('/', 'Sys.Modify'),
      daemon: true,
      handle: ({ tokenId }) =>
        (machine.refreshPackages
          ? host.startRefresh(machine.refreshPackages, tokenId)
          : refreshTask(host, tokenId)
        ).upid,
    },
    {
      method: 'GET',
      path: '/nodes/localhost/apt/versions',
      needs: on('/', 'Sys.Audit'),
      handle: async () => {
        const [packages, pending, { kernel }] = await Promise.all([
          machine.installedPackages(),
          machine.pendingUpgrades(),
          machine.vitals(),
        ]);
        const candidate = (name: string) => pending.find((change) => change.name === name)?.to;
        const entry = (name: string, extra?: string) => {
          const version = packages.find((each) => each.name === name)?.version;
          return {
            Package: name,
            Title: name,
            Arch: 'amd64',
            Description: name,
            Origin: 'Proxmox',
            Priority: 'optional',
            Section: 'admin',
            Version: candidate(name) ?? version ?? 'unknown',
            ...oldVersion(version),
            ...(extra ? { ExtraInfo: extra } : {}),
          };
        };
        const kernels = packages.filter(({ name }) => /^(proxmox|pve)-kernel/.test(name));
        return [
          entry('proxmox-backup', `running kernel: ${kernel}`),
          entry('proxmox-backup-server', `running version: ${host.version}.${differs.release}`),
          ...kernels.map(({ name }) => entry(name)),
          entry('proxmox-backup-client'),
        ];
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/apt/repositories',
      needs: on('/', 'Sys.Audit'),
      handle: () => ({
        digest: 'b'.repeat(64),
        errors: host.repositoryErrors,
        infos: [],
        'standard-repos': [
          { handle: 'enterprise', name: 'Enterprise', description: '' },
          { handle: 'no-subscription', status: true, name: 'No-Subscription', description: '' },
        ],
        files: [
          {
            path: '/etc/apt/sources.list.d/proxmox.sources',
            'file-type': 'sources',
            repositories: [
              {
                Types: ['deb'],
                URIs: ['http://mirror.example/debian/pbs'],
                Suites: ['trixie'],
                Components: ['pbs-no-subscription'],
                FileType: 'sources',
                Enabled: true,
              },
            ],
            digest: Array.from({ length: 32 }, (_, index) => index),
          },
        ],
      }),
    },
    {
      method: 'GET',
      path: '/nodes/localhost/services',
      needs: on('/system/services', 'Sys.Audit'),
      handle: async () =>
        [...((await machine.services?.()) ?? host.services)].map(([name, state]) => ({
          service: name,
          name,
          desc: name,
          state,
          'unit-state': 'enabled',
        })),
    },
    {
      method: 'GET',
      path: '/nodes/localhost/tasks',
      params: {
        start: optional(whole),
        limit: optional(whole),
        running: optional(flag),
        errors: optional(flag),
        since: optional(whole),
        until: optional(whole),
        typefilter: optional(text),
        statusfilter: optional({ type: 'array' }),
        userfilter: optional(text),
        store: optional(text),
      },
      needs: null,
      handle: ({ params, tokenId }) => {
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const start = Number(params.start ?? 0);
        const seen = host.tasks
          .filter(({ user }) => access.has('/system/tasks', 'Sys.Audit') || user === tokenId)
          .filter(({ endedAt }) => !/^(1|true)$/.test(String(params.running ?? '')) || endedAt === null)
          .filter(({ type }) => type.includes(String(params.typefilter ?? '')))
          .sort((a, b) => (b.endedAt ?? Infinity) - (a.endedAt ?? Infinity) || b.startedAt - a.startedAt);
        const page = seen.slice(start, limit === 0 ? undefined : start + limit);
        return new WithAttributes(page.map(listed), {
          total: start + page.length + (limit > 0 && page.length === limit ? 1 : 0),
        });
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/tasks/{upid}/status',
      needs: null,
      handle: (call) => {
        const found = task(call);
        if (!found)
          return {
            upid: call.params.upid,
            node: host.name,
            status: 'stopped',
            exitstatus: 'unknown',
            pid: 0,
            pstart: 0,
            starttime: 0,
            type: '',
            id: null,
            user: '',
          };
        const { upid, type, id, user, startedAt, endedAt, status } = found;
        return {
          upid,
          node: host.name,
          pid: 812,
          pstart: 1,
          starttime: startedAt,
          type,
          id,
          ...ownerOf(user),
          ...(endedAt === null ? { status: 'running' } : { status: 'stopped', exitstatus: status }),
          ...(endedAt !== null && differs.tellsEndOfTask ? { endtime: endedAt } : {}),
        };
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/tasks/{upid}/log',
      params: {
        start: optional(whole),
        limit: optional(whole),
        'test-status': optional(flag),
        download: optional(flag),
      },
      needs: null,
      handle: (call) => {
        const { params } = call;
        const found = task(call);
        if (!found) throw new PbsError('No such file or directory (os error 2)');
        const first = Math.max(1, Number(params.start ?? 1));
        const limit = params.limit === undefined ? 50 : Number(params.limit);
        const lines = found.log.slice(first - 1, limit === 0 ? undefined : first - 1 + limit);
        return new WithAttributes(
          lines.map((line, index) => ({ n: first + index, t: line })),
          { total: found.log.length, success: 1 },
        );
      },
    },
    {
      method: 'POST',
      path: '/nodes/localhost/services/{service}/start',
      needs: ({ service }) => [`/system/services/${String(service)}`, ['Sys.Modify']],
      daemon: true,
      handle: ({ params, tokenId }) => host.startService(String(params.service), tokenId),
    },
    {
      method: 'GET',
      path: '/nodes/localhost/syslog',
      params: {
        start: optional(whole),
        limit: optional(whole),
        since: optional({ type: 'string', pattern: /^\d{4}-\d{2}-\d{2}(?: \d{2}:\d{2}(?::\d{2})?)?$/ }),
        until: optional(text),
        service: optional(text),
      },
      needs: on('/system/log', 'Sys.Audit'),
      daemon: true,
      handle: async ({ params }) => {
        const lines = await machine.unitLines(String(params.service ?? ''));
        const shown = lines.slice(0, params.limit === undefined ? 50 : Number(params.limit));
        return (shown.length > 0 ? shown : ['no content']).map((line, index) => ({ n: index + 1, t: line }));
      },
    },
    {
      method: 'GET',
      path: '/nodes/localhost/journal',
      params: {
        since: optional(whole),
        until: optional(whole),
        lastentries: optional(whole),
        startcursor: optional(text),
        endcursor: optional(text),
      },
      needs: on('/system/log', 'Sys.Audit'),
      daemon: true,
      handle: () => ['s=0', 'Nov 23 02:00:00 lab systemd[1]: Started.', 's=1'],
    },
  ];
}

/** User and token stand apart in the status of a task, together in lists. */
function ownerOf(authId: string) {
  const [user, tokenid] = authId.split('!');
  return { user, ...(tokenid === undefined ? {} : { tokenid }) };
}

function listed({ upid, type, id, user, startedAt, endedAt, status }: PbsTask) {
  return {
    upid,
    node: 'localhost',
    pid: 812,
    pstart: 3301,
    starttime: startedAt,
    worker_type: type,
    worker_id: id,
    user,
    ...(endedAt === null ? {} : { endtime: endedAt, status }),
  };
}

const REFRESH_SECONDS = 6;

function refreshTask(host: PbsHost, user: string): PbsTask {
  const stamp = () => new Date().toISOString().replace(/\.\d+Z/, '+00:00');
  const log = [
    `${stamp()}: starting apt-get update`,
    `${stamp()}: Hit:1 http://mirror.example/debian trixie InRelease`,
  ];
  const { refresh } = host.trouble;
  const status = refresh === 'warnings' ? 'WARNINGS: 1' : 'OK';
  if (refresh)
    log.push(
      'Err:2 http://mirror.example/debian/pbs trixie InRelease',
      '  401  Unauthorized [IP: 192.0.2.7 443]',
    );
  if (refresh === 'warnings')
    log.push(
      `${stamp()}: E: Failed to fetch http://mirror.example/debian/pbs/dists/trixie/InRelease  401  Unauthorized`,
    );
  log.push('Reading package lists...', `${stamp()}: TASK ${status}`);
  return host.startTask({ type: 'aptupdate', user, log, seconds: REFRESH_SECONDS, status });
}
