import { X509Certificate } from 'node:crypto';
import { oneOf } from '../parameters.js';
import type { PbsHost } from './host.js';
import { CUT, type PbsRoute } from './server.js';

/** The host itself: version, state, power, services. */
export function nodeRoutes(host: PbsHost): PbsRoute[] {
  const { machine } = host;
  const on = (path: string, privilege: string) => () => [path, [privilege]] as const;
  return [
    { method: 'GET', path: '/ping', needs: 'world', handle: () => ({ pong: true }) },
    {
      method: 'GET',
      path: '/version',
      needs: null,
      handle: async () => ({ ...(await host.runningVersion()), repoid: 'a'.repeat(40) }),
    },
    {
      method: 'GET',
      path: '/nodes/localhost/disks/zfs',
      needs: on('/system/disks', 'Sys.Audit'),
      daemon: true,
      handle: async () => {
        const zfs = (await machine.mounts()).filter(({ fstype }) => fstype === 'zfs');
        return zfs.map(({ device, total, used }) => {
          const name = device.replace(/^\//, '');
          const sizes = { size: total, alloc: used, free: total - used, frag: 4, dedup: 1 };
          return { name, health: host.poolHealth.get(name) ?? 'ONLINE', ...sizes };
        });
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
          cpuinfo: { model: 'QEMU Virtual CPU', sockets: 1, cpus: host.stores.cores },
          'current-kernel': {
            sysname: 'Linux',
            release: kernel,
            version: '#1 SMP PREEMPT_DYNAMIC',
            machine: 'x86_64',
          },
          kversion: `Linux ${kernel} #1 SMP PREEMPT_DYNAMIC`,
          info: { fingerprint: fingerprintOfFile(host) },
          'boot-info': { mode: 'efi', secureboot: false },
        };
      },
    },
    {
      method: 'POST',
      path: '/nodes/localhost/status',
      params: { command: { ...oneOf('reboot', 'shutdown'), byCode: true } },
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
      method: 'POST',
      path: '/nodes/localhost/services/{service}/start',
      needs: ({ service }) => [`/system/services/${String(service)}`, ['Sys.Modify']],
      daemon: true,
      handle: ({ params, tokenId }) => host.startService(String(params.service), tokenId),
    },
  ];
}

/** PBS tells of the certificate in its file, not of the one that it serves. */
function fingerprintOfFile({ machine, server }: PbsHost): string {
  try {
    return new X509Certificate(machine.certificateFile?.() ?? '').fingerprint256.toLowerCase();
  } catch {
    return server.fingerprint.toLowerCase();
  }
}
