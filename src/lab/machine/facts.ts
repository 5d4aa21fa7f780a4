import type { Release } from './release.js';
import type { AgentState, MountSpec } from './spec.js';

/** guest-get-osinfo: Debian's answer, on a PBS as on any other. */
export interface OsInfo {
  readonly id: string;
  readonly name: string;
  readonly 'pretty-name': string;
  readonly version: string;
  readonly 'version-id': string;
  readonly 'kernel-release': string;
  readonly 'kernel-version': string;
  readonly machine: string;
}

/** One entry of guest-get-fsinfo. */
export interface FsInfo {
  readonly name: string;
  readonly mountpoint: string;
  readonly type: string;
  readonly 'total-bytes': number;
  /** With what is reserved for root; not of the agent of Debian 12. */
  readonly 'total-bytes-privileged'?: number;
  readonly 'used-bytes': number;
  readonly disk: ReadonlyArray<Record<string, unknown>>;
}

/** What the agent still answers while the file systems are frozen. */
export const FROZEN_COMMANDS: readonly string[] = [
  'guest-ping',
  'guest-info',
  'guest-sync',
  'guest-sync-delimited',
  'guest-fsfreeze-status',
  'guest-fsfreeze-thaw',
];

const COMMANDS = [
  ...FROZEN_COMMANDS,
  'guest-exec',
  'guest-exec-status',
  'guest-file-close',
  'guest-file-open',
  'guest-file-read',
  'guest-file-seek',
  'guest-file-write',
  'guest-fsfreeze-freeze',
  'guest-fstrim',
  'guest-get-disks',
  'guest-get-fsinfo',
  'guest-get-host-name',
  'guest-get-memory-blocks',
  'guest-get-osinfo',
  'guest-get-time',
  'guest-get-timezone',
  'guest-get-users',
  'guest-get-vcpus',
  'guest-network-get-interfaces',
  'guest-set-time',
  'guest-shutdown',
  'guest-suspend-disk',
];

/** A blocked command stays in the list, switched off. */
export function supportedCommands({ frozen, execAllowed }: AgentState) {
  return [...COMMANDS].sort().map((name) => ({
    name,
    enabled: frozen ? FROZEN_COMMANDS.includes(name) : execAllowed || !name.startsWith('guest-exec'),
    'success-response': name !== 'guest-shutdown' && name !== 'guest-suspend-disk',
  }));
}

export function osInfo({ debian: { id, codename } }: Release, kernel: string): OsInfo {
  return {
    id: 'debian',
    name: 'Debian GNU/Linux',
    'pretty-name': `Debian GNU/Linux ${id} (${codename})`,
    version: `${id} (${codename})`,
    'version-id': id,
    'kernel-release': kernel,
    'kernel-version': `#1 SMP PREEMPT_DYNAMIC PMX ${kernel.replace(/-pve$/, '')}`,
    machine: 'x86_64',
  };
}

/** Mounts without a block device of their own (tmpfs, ZFS, NFS, CIFS) are not in it. */
export function fsInfo({ debian }: Release, mounts: readonly MountSpec[]): FsInfo[] {
  return mounts
    .filter(({ device }) => device.startsWith('/dev/'))
    .map(({ path, device, fstype, totalBytes, usedBytes }, index) => ({
      name: device.replace('/dev/', ''),
      mountpoint: path,
      type: fstype,
      'total-bytes': totalBytes,
      ...(debian.id === '12' ? {} : { 'total-bytes-privileged': totalBytes }),
      'used-bytes': usedBytes,
      disk: [
        {
          serial: device.replace(/^.*\//, ''),
          'bus-type': 'virtio',
          bus: 0,
          unit: 0,
          target: 0,
          dev: device,
          'pci-controller': { domain: 0, bus: 0, slot: index + 1, function: 0 },
        },
      ],
    }));
}
