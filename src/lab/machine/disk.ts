import { existsSync, mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { readTable, writeTable } from './packages.js';
import type { Release } from './release.js';
import { APT_LOCKS, DEFAULT_MOUNTS, DEFAULT_ROOT, type MachineSpec, type MountSpec } from './spec.js';

const FOLDERS = [
  'boot',
  'etc/apt',
  'mnt/datastore',
  'proc/self',
  'proc/sys/kernel/random',
  'root',
  'run',
  'tmp',
  'var/cache/apt/archives',
  'var/lib/apt/lists',
  'var/lib/dpkg/updates',
  'var/log/apt',
  'var/tmp',
];

/** Lays out the folder that plays the machine's file system. */
export function layOut(root: string, name: string, release: Release, spec: MachineSpec): void {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  const { id, codename, point } = release.debian;
  const mounts = spec.mounts ?? DEFAULT_MOUNTS;
  put(root, '/etc/hostname', `${name}\n`);
  put(root, '/etc/debian_version', `${point}\n`);
  put(
    root,
    '/etc/os-release',
    [
      `PRETTY_NAME="Debian GNU/Linux ${id} (${codename})"`,
      'NAME="Debian GNU/Linux"',
      `VERSION_ID="${id}"`,
      `VERSION="${id} (${codename})"`,
      `VERSION_CODENAME=${codename}`,
      'ID=debian\n',
    ].join('\n'),
  );
  put(
    root,
    '/etc/fstab',
    [
      '# <file system> <mount point> <type> <options> <dump> <pass>',
      '/dev/pbs/root / ext4 errors=remount-ro 0 1',
      ...mounts.map(({ device, path, fstype }) => `${device} ${path} ${fstype} defaults,nofail 0 2`),
      'proc /proc proc defaults 0 0\n',
    ].join('\n'),
  );
  for (const lock of APT_LOCKS) put(root, lock, '');
  for (const { path } of mounts) mkdirSync(join(root, path), { recursive: true });
}

/** Files that a boot makes anew. /run and /tmp are memory: they are empty afterwards. */
export function writeBootFiles(
  root: string,
  boot: { readonly id: string; readonly kernel: string; readonly at: number },
): void {
  for (const folder of ['run', 'tmp']) {
    rmSync(join(root, folder), { recursive: true, force: true });
    mkdirSync(join(root, folder));
  }
  put(root, '/proc/sys/kernel/random/boot_id', `${boot.id}\n`);
  put(root, '/proc/sys/kernel/osrelease', `${boot.kernel}\n`);
  put(root, '/proc/stat', `cpu  1 0 1 1 0 0 0 0 0 0\nbtime ${Math.floor(boot.at)}\n`);
  put(root, '/proc/version', `Linux version ${boot.kernel} (build@proxmox) #1 SMP PREEMPT_DYNAMIC\n`);
  put(root, '/.machine/kernel', `${boot.kernel}\n`);
  put(root, '/.machine/boots', `${boot.id}\t${Math.floor(boot.at)}\n`, 'a');
}

/** Tables of mounts: for the stand-ins (`mounts`: PATH DEVICE FSTYPE OPTIONS TOTAL USED) and as the kernel has them. */
export function writeMounts(root: string, spec: MachineSpec, missing: ReadonlySet<string>): void {
  const { totalBytes, usedBytes } = spec.root ?? DEFAULT_ROOT;
  const disks = (spec.mounts ?? DEFAULT_MOUNTS).map((mount) => [
    mount.path,
    mount.device,
    mount.fstype,
    'rw,relatime',
    String(mount.totalBytes),
    String(mount.usedBytes),
  ]);
  // What `mount` can mount, whether it is mounted now or not.
  writeTable(join(root, '.machine/disks'), disks);
  const memory = (path: string, total: number) =>
    [path, 'tmpfs', 'tmpfs', 'rw,nosuid,nodev,relatime', String(total), '0'] as const;
  const rows: Array<readonly string[]> = [
    [
      '/',
      '/dev/mapper/pbs-root',
      'ext4',
      'rw,relatime,errors=remount-ro',
      String(totalBytes),
      String(usedBytes),
    ],
    ['/proc', 'proc', 'proc', 'rw,relatime', '0', '0'],
    ['/sys', 'sysfs', 'sysfs', 'rw,nosuid,nodev,noexec,relatime', '0', '0'],
    memory('/run', 400e6),
    memory('/dev/shm', 2e9),
    ...disks.filter(([path = '']) => !missing.has(path)),
  ];
  writeTable(join(root, '.machine/mounts'), rows);
  const kernelTable = rows
    .map(([path, device, fstype, options]) => `${device} ${path} ${fstype} ${options} 0 0\n`)
    .join('');
  put(root, '/proc/mounts', kernelTable);
  put(root, '/proc/self/mounts', kernelTable);
  for (const { path } of spec.mounts ?? DEFAULT_MOUNTS) {
    // What shows at the mount point of a missing disk is an ordinary empty folder.
    const chunks = join(root, path, '.chunks');
    if (missing.has(path)) rmSync(chunks, { recursive: true, force: true });
    else mkdirSync(chunks, { recursive: true });
  }
}

export function readMounts(root: string): MountSpec[] {
  return readTable(join(root, '.machine/mounts')).map(
    ([path = '', device = '', fstype = '', , total, used]) => ({
      path,
      device,
      fstype,
      totalBytes: Number(total),
      usedBytes: Number(used),
    }),
  );
}

// locks: FILE PID PROCESS UNTIL(ms since 1970; 0 = for ever; -1 = as long as the pid lives)

export function holdLock(root: string, file: string, pid: number, process: string, untilMs: number): void {
  const rows = readTable(join(root, '.machine/locks')).filter(([held]) => held !== file);
  writeTable(join(root, '.machine/locks'), [...rows, [file, String(pid), process, String(untilMs)]]);
}

/** Drops locks whose holder is gone, and writes /proc/locks, where the others show under the inode of their file. */
export function refreshLocks(root: string): void {
  const all = readTable(join(root, '.machine/locks'));
  const live = all.filter(([, pid, , until]) => isHeld(Number(pid), Number(until)));
  if (live.length !== all.length) writeTable(join(root, '.machine/locks'), live);
  const rows = live.flatMap(([file = '', pid], index) => {
    const path = join(root, file);
    return existsSync(path)
      ? [`${index + 1}: POSIX  ADVISORY  WRITE ${pid} fe:00:${statSync(path).ino} 0 EOF\n`]
      : [];
  });
  put(root, '/proc/locks', rows.join(''));
  for (const [, pid = '', process] of live) put(root, `/proc/${pid}/comm`, `${process?.slice(0, 15)}\n`);
}

function isHeld(pid: number, untilMs: number): boolean {
  if (untilMs > 0) return Date.now() < untilMs;
  if (untilMs === 0) return true;
  try {
    process.kill(pid, 0);
    return !isZombie(pid);
  } catch {
    return false;
  }
}

/** A killed process whose parent was killed too may stay in the table for long. */
function isZombie(pid: number): boolean {
  const stat = `/proc/${pid}/stat`;
  return existsSync(stat) && /\) Z /.test(readFileSync(stat, 'utf8'));
}

export function put(root: string, path: string, text: string, flag: 'w' | 'a' = 'w'): void {
  const file = join(root, path);
  mkdirSync(dirname(file), { recursive: true });
  writeFileSync(file, text, { flag });
}
