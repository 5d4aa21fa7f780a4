import type { ChangeSpec, PackageSpec, PbsRelease } from './spec.js';

/** What one product line is made of. */
export interface Release {
  readonly debian: { readonly id: string; readonly codename: string; readonly point: string };
  readonly agentVersion: string;
  /** Release of the kernel that runs before the upgrade. */
  readonly kernel: string;
  readonly packages: readonly PackageSpec[];
  readonly changes: readonly ChangeSpec[];
  readonly agentChange: ChangeSpec;
}

interface Line {
  readonly pbs: readonly [from: string, to: string];
  readonly kernel: readonly [series: string, from: string, to: string];
}

const LINES: Record<PbsRelease, Line> = {
  '3.4': { pbs: ['3.4.6-1', '3.4.8-1'], kernel: ['6.8', '6.8.12-15', '6.8.12-18'] },
  '4.0': { pbs: ['4.0.11-2', '4.0.17-1'], kernel: ['6.14', '6.14.8-2', '6.14.11-4'] },
  '4.1': { pbs: ['4.1.2-1', '4.1.3-1'], kernel: ['6.17', '6.17.2-1', '6.17.4-1'] },
  '4.2': { pbs: ['4.2.2-1', '4.2.3-1'], kernel: ['6.17', '6.17.2-1', '6.17.4-1'] },
};

const PROXMOX = 'Proxmox Debian Repository:stable';

export function releaseOf(release: PbsRelease): Release {
  const { pbs, kernel } = LINES[release];
  const [series, running, next] = kernel;
  const old = release === '3.4';
  const debian = old
    ? { id: '12', codename: 'bookworm', point: '12.12' }
    : { id: '13', codename: 'trixie', point: '13.2' };
  const suite = old ? 'oldstable' : 'stable';
  const security = `Debian-Security:${debian.id}/${suite}-security`;
  const main = `Debian:${debian.point}/${suite}`;
  const ssl = old
    ? ['libssl3', '3.0.17-1~deb12u2', '3.0.17-1~deb12u3']
    : ['libssl3t64', '3.5.4-1~deb13u1', '3.5.4-1~deb13u2'];
  const [libssl = '', sslFrom = '', sslTo = ''] = ssl;
  const agentVersion = old ? '1:7.2+dfsg-7+deb12u16' : '1:10.0.6+ds-0+deb13u2';
  const base = debian.id;
  const packages: PackageSpec[] = [
    { name: 'apt', version: old ? '2.6.1' : '3.0.3', description: 'commandline package manager' },
    {
      name: 'base-files',
      version: old ? '12.4+deb12u12' : '13.8+deb13u2',
      description: 'Debian base system miscellaneous files',
    },
    { name: 'bash', version: old ? '5.2.15-2+b9' : '5.2.37-2+b5', description: 'GNU Bourne Again SHell' },
    {
      name: 'chrony',
      version: old ? '4.3-2+deb12u1' : '4.6.1-3',
      description: 'Versatile implementation of the Network Time Protocol',
    },
    { name: 'coreutils', version: old ? '9.1-1' : '9.7-3', description: 'GNU core utilities' },
    { name: 'dpkg', version: old ? '1.21.22' : '1.22.21', description: 'Debian package management system' },
    {
      name: 'ifupdown2',
      version: '3.3.0-1+pmx11',
      description: 'Network Interface Management tool similar to ifupdown',
    },
    {
      name: 'libc6',
      version: old ? '2.36-9+deb12u13' : '2.41-12',
      description: 'GNU C Library: Shared libraries',
    },
    { name: libssl, version: sslFrom, description: 'Secure Sockets Layer toolkit - shared libraries' },
    {
      name: 'openssh-server',
      version: old ? '1:9.2p1-2+deb12u7' : '1:10.0p1-7',
      description: 'secure shell (SSH) server',
    },
    {
      name: 'openssl',
      version: sslFrom,
      description: 'Secure Sockets Layer toolkit - cryptographic utility',
    },
    {
      name: 'postfix',
      version: old ? '3.7.11-0+deb12u1' : '3.10.5-1',
      description: 'High-performance mail transport agent',
    },
    { name: 'proxmox-backup-client', version: pbs[0], description: 'Proxmox Backup Client tools' },
    { name: 'proxmox-backup-docs', version: pbs[0], description: 'Proxmox Backup Documentation' },
    {
      name: 'proxmox-backup-server',
      version: pbs[0],
      description: 'Proxmox Backup Server daemon with tools and GUI',
    },
    {
      name: 'proxmox-default-kernel',
      version: old ? '1.1.0' : '2.0.1',
      description: 'Default Proxmox Kernel Image',
    },
    {
      name: `proxmox-kernel-${series}`,
      version: running,
      description: `Latest Proxmox Kernel Image for ${series}`,
    },
    {
      name: `proxmox-kernel-${running}-pve-signed`,
      version: running,
      description: `Proxmox Kernel Image (signed)`,
    },
    {
      name: 'proxmox-widget-toolkit',
      version: old ? '4.3.13' : '5.0.6',
      description: 'Core Widgets and ExtJS Helper Classes',
    },
    { name: 'qemu-guest-agent', version: agentVersion, description: 'Guest-side qemu-system agent' },
    {
      name: 'systemd',
      version: old ? '252.39-1~deb12u1' : '257.9-1~deb13u1',
      description: 'system and service manager',
    },
    {
      name: 'tzdata',
      version: `2025b-4+deb${base}u1`,
      description: 'time zone and daylight-saving time data',
    },
    {
      name: 'zfsutils-linux',
      version: old ? '2.2.8-pve1' : '2.3.4-pve1',
      description: 'command-line tools to manage OpenZFS filesystems',
    },
  ];
  const changes: ChangeSpec[] = [
    { name: libssl, from: sslFrom, to: sslTo, origin: security, sizeBytes: 2_443_000 },
    { name: 'openssl', from: sslFrom, to: sslTo, origin: security, sizeBytes: 1_494_000 },
    {
      name: 'tzdata',
      from: `2025b-4+deb${base}u1`,
      to: `2025c-0+deb${base}u1`,
      origin: main,
      sizeBytes: 260_000,
    },
    { name: `proxmox-kernel-${next}-pve-signed`, to: next, origin: PROXMOX, sizeBytes: 114_000_000 },
    { name: `proxmox-kernel-${series}`, from: running, to: next, origin: PROXMOX, sizeBytes: 11_000 },
    { name: 'proxmox-backup-client', from: pbs[0], to: pbs[1], origin: PROXMOX, sizeBytes: 3_900_000 },
    { name: 'proxmox-backup-docs', from: pbs[0], to: pbs[1], origin: PROXMOX, sizeBytes: 12_600_000 },
    { name: 'proxmox-backup-server', from: pbs[0], to: pbs[1], origin: PROXMOX, sizeBytes: 6_700_000 },
    {
      name: 'proxmox-widget-toolkit',
      from: old ? '4.3.13' : '5.0.6',
      to: old ? '4.3.16' : '5.1.2',
      origin: PROXMOX,
      sizeBytes: 240_000,
    },
  ];
  const agentChange = {
    name: 'qemu-guest-agent',
    from: agentVersion,
    to: old ? '1:7.2+dfsg-7+deb12u17' : '1:10.0.7+ds-0+deb13u1',
    origin: main,
    sizeBytes: 1_060_000,
  };
  return { debian, agentVersion, kernel: `${running}-pve`, packages, changes, agentChange };
}
