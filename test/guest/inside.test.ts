import { describe, expect, it } from 'vitest';
import { readInside } from '../../src/guest/inside.js';

const part = (name: string, text: string, code = 0) => `\n@@${name}\n${text}\n\n@@=${code}\n`;
const said = (parts: Readonly<Record<string, string>> = {}, journals = '') =>
  [
    part('kernel', parts.kernel ?? '6.14.8-2-pve'),
    part('uptime', parts.uptime ?? '3600.12 7000.00'),
    part('state', parts.state ?? 'degraded', 1),
    part('failed', parts.failed ?? ''),
    part('mounts', parts.mounts ?? '/ /dev/sda1 ext4 rw,relatime\n/mnt/a\\x20b /dev/sdb1 ext4 rw'),
    part(
      'fstab',
      parts.fstab ?? '/dev/sda1 / ext4 errors=remount-ro 0 1\nUUID=1 /mnt/a\\040b ext4 nofail 0 2',
    ),
    part('audit', parts.audit ?? ''),
    part('root', parts.root ?? '    Avail\n123456789'),
    part('units', parts.units ?? ''),
    part('locks', parts.locks ?? ''),
    part('space', parts.space ?? '    Avail   1B-blocks Mounted on\n123456789 32000000000 /'),
    part('disks', parts.disks ?? ''),
    part('kernels', 'config-6.14.8-2-pve\nvmlinuz-6.14.8-2-pve'),
    part('errors', parts.errors ?? ''),
    journals,
    '\n@@end\n',
  ].join('');

describe('the state of a guest in trouble', () => {
  it.each`
    line                                                                           | device    | ofFileSystem
    ${'I/O error, dev sdb, sector 2048 op 0x0:(READ) flags 0x0'}                   | ${'sdb'}  | ${false}
    ${'critical medium error, dev vdb, sector 8'}                                  | ${'vdb'}  | ${false}
    ${'Buffer I/O error on dev dm-1, logical block 0, lost sync page write'}       | ${'dm-1'} | ${false}
    ${'EXT4-fs error (device sdb1): ext4_find_entry:1683: inode #2: comm proxmox'} | ${'sdb1'} | ${true}
    ${'EXT4-fs (sdb1): Remounting filesystem read-only'}                           | ${'sdb1'} | ${true}
    ${'XFS (sdc1): Log I/O Error (0x2) detected. Shutting down filesystem.'}       | ${'sdc1'} | ${true}
    ${'BTRFS error (device sdd: state A): bdev /dev/sdd errs: wr 1'}               | ${'sdd'}  | ${true}
    ${'I/O error, dev sr0, sector 0 op 0x0:(READ)'}                                | ${null}   | ${null}
    ${'EXT4-fs (sdb1): mounted filesystem with ordered data mode'}                 | ${null}   | ${null}
  `('reads of the kernel: "$line"', ({ line, device, ofFileSystem }) =>
    expect(readInside(said({ disks: line })).diskErrors).toEqual(
      device === null ? [] : [{ device, ofFileSystem, line }],
    ),
  );

  it('names who is at work on packages', () =>
    expect(readInside(said({ locks: '/var/lib/dpkg/lock 812 unattended-upgr' })).aptLocks).toEqual([
      { file: '/var/lib/dpkg/lock', pid: 812, process: 'unattended-upgrades' },
    ]));

  it('is read part by part', () => {
    const symptoms = readInside(
      said(
        {
          failed: 'chrony.service loaded failed failed NTP client/server',
          units: 'pbs-ctl-upgrade-k3f9x2.service loaded active running upgrade',
          errors: '2026-11-23T02:00:00+0000 pbs01 kernel: I/O error, dev sdb',
        },
        '\n@unit chrony.service\n2026-11-23T02:00:01+0000 pbs01 chronyd: Fatal error\n\n@unit proxmox-backup.service\n-- No entries --\n',
      ),
    );
    expect(symptoms).toEqual({
      atBoot: { passphrases: [], mustMount: [], missingInterfaces: [], interfaces: [] },
      mounts: [
        { target: '/', source: '/dev/sda1', fstype: 'ext4' },
        { target: '/mnt/a b', source: '/dev/sdb1', fstype: 'ext4' },
      ],
      fstab: ['/', '/mnt/a b'],
      aptLocks: [],
      diskErrors: [],
      space: [{ target: '/', availableBytes: 123456789, totalBytes: 32000000000 }],
      kernels: ['6.14.8-2-pve'],
      kernel: '6.14.8-2-pve',
      uptimeSeconds: 3600.12,
      state: 'degraded',
      failedUnits: ['chrony.service'],
      missingMounts: [],
      readOnlyMounts: [],
      audit: '',
      rootAvailableBytes: 123456789,
      upgrading: ['k3f9x2'],
      journal: [
        { unit: 'chrony.service', lines: ['2026-11-23T02:00:01+0000 pbs01 chronyd: Fatal error'] },
        { unit: null, lines: ['2026-11-23T02:00:00+0000 pbs01 kernel: I/O error, dev sdb'] },
      ],
    });
  });

  it.each`
    fstab                                                    | missing        | because
    ${'/dev/sdb1 /mnt/tank ext4 nofail 0 2'}                 | ${'/mnt/tank'} | ${'it should be mounted at boot'}
    ${'/dev/sdb1 /mnt/tank ext4 noauto 0 2'}                 | ${''}          | ${'it is mounted by hand'}
    ${'srv:/x /mnt/tank nfs x-systemd.automount,nofail 0 0'} | ${''}          | ${'it is mounted when it is needed'}
    ${'/dev/sdb2 none swap sw 0 0'}                          | ${''}          | ${'swap is mounted nowhere'}
    ${'# /dev/sdb1 /mnt/tank ext4 defaults 0 2'}             | ${''}          | ${'it is a comment'}
  `('misses "$missing" with "$fstab": $because', ({ fstab, missing }) => {
    expect(readInside(said({ fstab })).missingMounts.join()).toBe(missing);
  });

  it('knows a disk that the kernel has made read-only from one that is meant to be', () => {
    const mounts = '/ /dev/sda1 ext4 ro,relatime\n/srv /dev/sdc1 ext4 ro';
    const fstab = '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sdc1 /srv ext4 ro 0 2';
    expect(readInside(said({ mounts, fstab })).readOnlyMounts).toEqual(['/']);
  });

  it('counts an upgrade unit that has ended as none', () => {
    const units = 'pbs-ctl-upgrade-k3f9x2.service loaded active exited upgrade';
    expect(readInside(said({ units })).upgrading).toEqual([]);
  });

  it('says nothing of a part that failed: no findmnt does not mean that nothing is mounted', () => {
    const broken = said().replace(/@@mounts\n[\s\S]*?@@=0/, '@@mounts\nfindmnt: not found\n\n@@=127');
    expect(readInside(broken).missingMounts).toEqual([]);
  });

  it('is refused when it ends early', () => {
    expect(() => readInside(said().replace('@@end', ''))).toThrow(/ends early/);
  });
});
