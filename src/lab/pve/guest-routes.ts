import { flag, optional, type Parameters, text, whole } from '../parameters.js';
import { type PveCluster, tagsOf } from './cluster.js';
import { PveError, type PveRoute } from './server.js';
import type { SimulatedGuest } from './state.js';
import { assertMayChange } from './tags.js';

/** Simulated seconds that a write waits for the lock of a config file. */
const LOCK_PATIENCE = 10;
const TAG = /^[a-zA-Z0-9_][a-zA-Z0-9_+.-]*$/;

const ANY_CONFIG: Readonly<Record<'qemu' | 'lxc', readonly string[]>> = {
  qemu: ['Disk', 'CDROM', 'CPU', 'Memory', 'Network', 'HWType', 'Options', 'Cloudinit'].map(
    (each) => `VM.Config.${each}`,
  ),
  lxc: ['Disk', 'CPU', 'Memory', 'Network', 'Options'].map((each) => `VM.Config.${each}`),
};

/** Config, state and power of guests. */
export function guestRoutes(cluster: PveCluster): PveRoute[] {
  const on = (privilege: string) => (params: Readonly<Record<string, unknown>>) =>
    [`/vms/${params.vmid}`, [privilege]] as const;
  const both = (type: 'qemu' | 'lxc') => [
    {
      method: 'GET',
      path: `/nodes/{node}/${type}/{vmid}/config`,
      params: { current: optional(flag), snapshot: optional(text) },
      needs: on('VM.Audit'),
      proxied: true,
      handle: ({ params }) => {
        const guest = guestAt(cluster, params, type);
        const { cores, ...rest } =
          params.current === '1' ? guest.config : { ...guest.config, ...guest.pending };
        return {
          ...rest,
          ...(cores === undefined ? {} : { cores: Number(cores) }),
          digest: cluster.digestOf(guest),
        };
      },
    } satisfies PveRoute,
    {
      method: 'PUT',
      path: `/nodes/{node}/${type}/{vmid}/config`,
      params: {
        tags: optional(text),
        delete: optional(text),
        digest: optional({ ...text, maxLength: 40 }),
        description: optional(text),
        cores: optional({ ...whole, min: 1 }),
      },
      // Some privilege of the kind at the door; which one is looked at for each option.
      needs: ({ vmid }) => [`/vms/${vmid}`, ANY_CONFIG[type]],
      proxied: true,
      handle: ({ params }) => changeConfig(cluster, guestAt(cluster, params, type), params),
    } satisfies PveRoute,
  ];
  const power = (action: string, params: Parameters, act: (guest: SimulatedGuest) => void): PveRoute => ({
    method: 'POST',
    path: `/nodes/{node}/qemu/{vmid}/status/${action}`,
    params,
    needs: on('VM.PowerMgmt'),
    proxied: true,
    handle: ({ params, tokenId }) => {
      const guest = guestAt(cluster, params, 'qemu');
      act(guest);
      return cluster.startTask({
        node: guest.node,
        type: `qm${action}`,
        id: String(guest.vmid),
        user: tokenId,
        seconds: 2,
      }).upid;
    },
  });
  return [
    ...both('qemu'),
    ...both('lxc'),
    {
      method: 'GET',
      path: '/nodes/{node}/qemu/{vmid}/status/current',
      needs: on('VM.Audit'),
      proxied: true,
      handle: ({ params }) => {
        const guest = guestAt(cluster, params, 'qemu');
        const status = guest.machine?.power ?? 'running';
        return {
          vmid: guest.vmid,
          name: guest.name,
          status,
          qmpstatus: guest.machine?.qmpstatus ?? status,
          uptime: 86_400,
          ...(guest.config.lock ? { lock: guest.config.lock } : {}),
          ...(guest.config.agent ? { agent: 1 } : {}),
          ha: { managed: 0 },
        };
      },
    },
    power('start', { timeout: optional(whole) }, ({ machine }) => machine?.reset()),
    power('reset', {}, ({ machine }) => machine?.reset()),
    power('reboot', { timeout: optional(whole) }, ({ machine }) => machine?.reboot()),
  ];
}

/** @throws PveError when the guest is not on the node in the path */
export function guestAt(
  cluster: PveCluster,
  params: Readonly<Record<string, unknown>>,
  type: 'qemu' | 'lxc',
): SimulatedGuest {
  const guest = cluster.guests.get(Number(params.vmid));
  if (guest && guest.node === params.node && guest.type === type) return guest;
  const folder = type === 'qemu' ? 'qemu-server' : 'lxc';
  throw new PveError(
    `Configuration file 'nodes/${params.node}/${folder}/${params.vmid}.conf' does not exist`,
  );
}

/** The privilege that a key of the config needs. */
const NEEDED: Readonly<Record<string, string>> = {
  tags: 'VM.Config.Options',
  delete: 'VM.Config.Options',
  description: 'VM.Config.Options',
  cores: 'VM.Config.CPU',
};

/** QEMU looks at the digest before the lock, LXC the other way round. Without a digest nothing is checked. */
async function changeConfig(
  cluster: PveCluster,
  guest: SimulatedGuest,
  params: Readonly<Record<string, unknown>>,
): Promise<void> {
  if (guest.configBusy) {
    await cluster.time.sleep(LOCK_PATIENCE);
    const folder = guest.type === 'qemu' ? 'qemu-server' : 'lxc';
    const file = guest.type === 'qemu' ? `lock-${guest.vmid}.conf` : `pve-config-${guest.vmid}.lock`;
    throw new PveError(`can't lock file '/var/lock/${folder}/${file}' - got timeout`);
  }
  if (!cluster.quorate)
    throw new PveError(
      `unable to open file '/etc/pve/nodes/${guest.node}/qemu-server/${guest.vmid}.conf.tmp.1' - Permission denied`,
    );
  const mismatch = () => {
    if (params.digest !== undefined && params.digest !== '' && params.digest !== cluster.digestOf(guest)) {
      throw new PveError(
        guest.type === 'qemu'
          ? 'checksum mismatch (file change by other user?)'
          : 'detected modified configuration - file changed by other user? Try again.',
      );
    }
  };
  const locked = () => {
    if (guest.config.lock)
      throw new PveError(`${guest.type === 'qemu' ? 'VM' : 'CT'} is locked (${guest.config.lock})`);
  };
  // What each key needs comes before digest and lock.
  for (const key of Object.keys(params)) {
    const needed = NEEDED[key];
    if (needed && !cluster.access.has(`/vms/${guest.vmid}`, needed))
      throw new PveError(`Permission check failed (/vms/${guest.vmid}, ${needed})`, 403);
  }
  for (const check of guest.type === 'qemu' ? [mismatch, locked] : [locked, mismatch]) check();
  if (Object.keys(NEEDED).every((key) => params[key] === undefined))
    throw new PveError('no options specified');
  for (const key of ['description', 'cores'])
    if (params[key] !== undefined) guest.config[key] = String(params[key]);
  if (params.tags === undefined && params.delete === undefined) return;
  const tags =
    params.delete === 'tags'
      ? []
      : String(params.tags ?? '')
          .split(/[;,\s]+/)
          .filter(Boolean);
  if (tags.some((tag) => !TAG.test(tag)))
    throw new PveError('Parameter verification failed.', 400, {
      tags: 'invalid format - invalid characters in tag\n',
    });
  const before = tagsOf(guest);
  const changed = [
    ...tags.filter((tag) => !before.includes(tag)),
    ...before.filter((tag) => !tags.includes(tag)),
  ];
  assertMayChange(cluster, changed);
  cluster.storeTags(guest, tags);
}
