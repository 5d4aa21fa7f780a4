import type { GuestMachine } from '../guest-machine.js';
import { flag, optional } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost } from './host.js';
import type { PbsRoute } from './server.js';
import type { PbsTask } from './state.js';

/** Packages, updates and repositories. */
export function aptRoutes(host: PbsHost): PbsRoute[] {
  const { machine } = host;
  const differs = DIFFERENCES[host.version];
  const on = (path: string, privilege: string) => () => [path, [privilege]] as const;
  const oldVersion = (version: string | undefined) => {
    if (version) return { OldVersion: version };
    return differs.notInstalled;
  };
  return [
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
          ? realRefresh(host, machine.refreshPackages, tokenId)
          : refreshTask(host, tokenId)
        ).upid,
    },
    {
      method: 'GET',
      path: '/nodes/localhost/apt/versions',
      needs: on('/', 'Sys.Audit'),
      handle: async () => {
        const [packages, pending, { kernel }, running] = await Promise.all([
          machine.installedPackages(),
          machine.pendingUpgrades(),
          machine.vitals(),
          host.runningVersion(),
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
          entry('proxmox-backup-server', `running version: ${running.version}.${running.release}`),
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
  ];
}

const REFRESH_SECONDS = 6;

/** Of a machine that can really do it. */
function realRefresh(
  host: PbsHost,
  refresh: NonNullable<GuestMachine['refreshPackages']>,
  user: string,
): PbsTask {
  const task = host.startTask({ type: 'aptupdate', user, log: ['starting apt-get update'], seconds: null });
  void refresh().then(
    ({ exitCode, lines }) => {
      const status = exitCode === 0 ? 'OK' : 'WARNINGS: 1';
      task.log.push(...lines, `TASK ${status}`);
      host.end(task, status);
    },
    (error: unknown) => host.end(task, String(error)),
  );
  return task;
}

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
