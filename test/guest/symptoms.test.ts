import { describe, expect, it } from 'vitest';
import { readSymptoms } from '../../src/guest/symptoms.js';

const part = (name: string, text: string, code = 0) => `\n@@${name}\n${text}\n\n@@=${code}\n`;
const said = (parts: Readonly<Record<string, string>> = {}, journals = '') =>
  [
    part('kernel', parts.kernel ?? '6.14.8-2-pve'),
    part('uptime', parts.uptime ?? '3600.12 7000.00'),
    part('state', parts.state ?? 'degraded', 1),
    part('failed', parts.failed ?? ''),
    part('mounts', parts.mounts ?? '/ rw,relatime\n/mnt/a\\x20b rw'),
    part(
      'fstab',
      parts.fstab ?? '/dev/sda1 / ext4 errors=remount-ro 0 1\nUUID=1 /mnt/a\\040b ext4 nofail 0 2',
    ),
    part('audit', parts.audit ?? ''),
    part('root', parts.root ?? '    Avail\n123456789'),
    part('units', parts.units ?? ''),
    part('errors', parts.errors ?? ''),
    journals,
    '\n@@end\n',
  ].join('');

describe('the state of a guest in trouble', () => {
  it('is read part by part', () => {
    const symptoms = readSymptoms(
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
    expect(readSymptoms(said({ fstab })).missingMounts.join()).toBe(missing);
  });

  it('knows a disk that the kernel has made read-only from one that is meant to be', () => {
    const mounts = '/ ro,relatime\n/srv ro';
    const fstab = '/dev/sda1 / ext4 errors=remount-ro 0 1\n/dev/sdc1 /srv ext4 ro 0 2';
    expect(readSymptoms(said({ mounts, fstab })).readOnlyMounts).toEqual(['/']);
  });

  it('counts an upgrade unit that has ended as none', () => {
    const units = 'pbs-ctl-upgrade-k3f9x2.service loaded active exited upgrade';
    expect(readSymptoms(said({ units })).upgrading).toEqual([]);
  });

  it('says nothing of a part that failed: no findmnt does not mean that nothing is mounted', () => {
    const broken = said().replace(/@@mounts\n[\s\S]*?@@=0/, '@@mounts\nfindmnt: not found\n\n@@=127');
    expect(readSymptoms(broken).missingMounts).toEqual([]);
  });

  it('is refused when it ends early', () => {
    expect(() => readSymptoms(said().replace('@@end', ''))).toThrow(/ends early/);
  });
});
