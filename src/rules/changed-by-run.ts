import type { PackageChanges } from '../guest/apt.js';
import { installedKernels } from '../guest/kernels.js';
import type { RunState } from '../journal/state.js';
import { byCommand, type Step, todo } from './steps.js';

/** What a run has changed that may keep its host from coming back. */
export interface Changed {
  /** The boot after the run was, or is, the first one of `first`; `before` ran and can still be booted. */
  readonly kernel: { readonly first: string; readonly before: string | null } | null;
  /** In groups, by what they concern: "network: ifupdown2 3.2 -> 3.3; see /etc/network/interfaces". */
  readonly packages: readonly string[];
}

/** What concerns boot and network, and where to look. */
const GROUPS: ReadonlyArray<readonly [what: string, names: RegExp, see: string]> = [
  [
    'boot',
    /^(grub|shim|proxmox-(boot|kernel-helper|grub)|pve-efiboot|efibootmgr|initramfs-tools|systemd-boot|dracut)/,
    '/etc/default/grub and proxmox-boot-tool status',
  ],
  ['disks', /^(lvm2|mdadm|zfs|libzfs|cryptsetup|multipath|open-iscsi|nfs-common|cifs-utils)/, '/etc/fstab'],
  [
    'network',
    /^(ifupdown2?|bridge-utils|systemd-resolved|isc-dhcp|dhcpcd|iproute2|openvswitch|firmware|pve-firmware)/,
    '/etc/network/interfaces',
  ],
  ['system', /^(systemd|udev|libc6|dbus)$/, 'journalctl -b -p err'],
];

/** Pure: from the journal of the run. */
export function changedBy({ changes, baseline }: Pick<RunState, 'changes' | 'baseline'>): Changed {
  if (changes === null) return { kernel: null, packages: [] };
  const all = [...changes.upgraded, ...changes.installed.map((each) => ({ ...each, from: null }))];
  const packages = GROUPS.flatMap(([what, names, see]) => {
    const own = all.filter(({ name }) => names.test(name));
    if (own.length === 0) return [];
    const list = own.map(({ name, from, to }) => `${name} ${from === null ? '' : `${from} -> `}${to}`);
    return [`${what}: ${list.join(', ')}; see ${see}`];
  });
  return { kernel: kernelOf(changes, baseline), packages };
}

function kernelOf({ installed, removed }: PackageChanges, baseline: RunState['baseline']): Changed['kernel'] {
  const first = installedKernels(installed.map(({ name }) => name)).at(-1);
  const before = baseline?.state.kernel;
  if (first === undefined || first === before) return null;
  const gone = installedKernels(removed.map(({ name }) => name));
  return { first, before: before === undefined || gone.includes(before) ? null : before };
}

/** What is different about the boot after a run, and the way back. */
export function stepsBack({ kernel, packages }: Changed, consoleUrl: string | null): Step[] {
  return [
    ...(kernel ? kernelSteps(kernel, consoleUrl) : []),
    ...packages.map((each) => todo(`The run has changed ${each}.`)),
  ];
}

function kernelSteps({ first, before }: NonNullable<Changed['kernel']>, consoleUrl: string | null): Step[] {
  if (before === null) return [todo(`This is the first boot of kernel ${first}, which the run installed.`)];
  return [
    byCommand(
      `This is the first boot of kernel ${first}; ${before} ran before and is still installed. A reset alone starts ${first} again: choose ${before} in the boot menu ("Advanced options") on the console.`,
      consoleUrl,
    ),
    byCommand(
      'Once it is up, pin it in the guest: a pinned kernel is no reason against it.',
      `proxmox-boot-tool kernel pin ${before}`,
    ),
  ];
}

/** The same in one sentence, for a report; null where it was no new kernel. */
export const kernelRemark = ({ kernel }: Changed): string | null =>
  kernel === null
    ? null
    : `It is the first boot of kernel ${kernel.first}${kernel.before === null ? '' : `; ${kernel.before} ran before and is still installed: choose it in the boot menu, then pin it`}.`;
