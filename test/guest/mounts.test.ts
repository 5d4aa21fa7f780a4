import { describe, expect, it } from 'vitest';
import { missingMount, mountOf, readFstab, readMounts } from '../../src/guest/mounts.js';

const ROOT = { target: '/', source: '/dev/sda1' };
const TANK = { target: '/mnt/tank', source: '/dev/sdb1' };

describe('the mount of a path', () => {
  it.each([
    ['/mnt/tank', '/mnt/tank', 'the mount point itself'],
    ['/mnt/tank/store', '/mnt/tank', 'a folder below'],
    ['/mnt/tank2', '/', 'a folder whose name only begins alike'],
  ])('of %s is %s: %s', (path, target) => expect(mountOf(path, [ROOT, TANK]).target).toBe(target));

  it('is the one that was mounted last, where several cover each other', () =>
    expect(mountOf('/mnt/tank', [ROOT, TANK, { ...TANK, source: '/dev/sdc1' }]).source).toBe('/dev/sdc1'));

  it('is read with the blanks in its name', () =>
    expect(readMounts('/mnt/a\\x20b /dev/sdb1 ext4\n\n', ['target', 'source', 'fstype'])).toEqual([
      { target: '/mnt/a b', source: '/dev/sdb1', fstype: 'ext4' },
    ]));

  it('is read with letters beyond ASCII, however their bytes are written', () => {
    const [mount] = readMounts('/mnt/gr\\xc3\\xb6\\xc3\\x9fe b', ['target', 'source']);
    expect(mount?.target).toBe('/mnt/größe');
    expect(readFstab('UUID=1 /mnt/gr\\303\\266\\303\\237e ext4')[0]?.target).toBe('/mnt/größe');
    expect(readFstab('UUID=1 /mnt/größe ext4')[0]?.target).toBe('/mnt/größe');
  });
});

describe('a mount that fstab wants and that is not there', () => {
  it.each`
    fstab                                                    | missing        | because
    ${'/dev/sdb1 /mnt/tank ext4 nofail 0 2'}                 | ${'/mnt/tank'} | ${'it should be mounted at boot'}
    ${'/dev/sdb1 /mnt/tank ext4'}                            | ${'/mnt/tank'} | ${'without options the defaults hold'}
    ${'/dev/sdb1 /mnt/tank/ ext4 nofail 0 2'}                | ${'/mnt/tank'} | ${'a slash at its end is the same folder'}
    ${'/dev/sdb1 //mnt//tank ext4 nofail 0 2'}               | ${'/mnt/tank'} | ${'so are double ones'}
    ${'/dev/sdb1 /mnt ext4 defaults 0 2'}                    | ${'/mnt'}      | ${'its parent should be mounted'}
    ${'/dev/sdb1 /mnt/tank ext4 noauto 0 2'}                 | ${null}        | ${'it is mounted by hand'}
    ${'/dev/sdb1 /mnt/tank ext4 rw,noauto,nofail 0 2'}       | ${null}        | ${'it is mounted by hand'}
    ${'srv:/x /mnt/tank nfs x-systemd.automount,nofail 0 0'} | ${null}        | ${'it is mounted when it is needed'}
    ${'/dev/sda1 / ext4 errors=remount-ro 0 1'}              | ${null}        | ${'the root is mounted'}
    ${'/dev/sdc1 /mnt/other ext4 defaults 0 2'}              | ${null}        | ${'the path does not lie on it'}
    ${'/dev/sdb2 none swap sw 0 0'}                          | ${null}        | ${'swap is mounted nowhere'}
    ${'  # /dev/sdb1 /mnt/tank ext4 defaults 0 2'}           | ${null}        | ${'it is a comment'}
  `('is $missing with "$fstab": $because', ({ fstab, missing }) => {
    const wanted = readFstab(fstab).map(({ target }) => target);
    expect(missingMount('/mnt/tank/store', { mounts: [ROOT], fstab: wanted })).toBe(missing);
    expect(missingMount('/mnt/tank/store', { mounts: [ROOT, TANK], fstab: wanted })).toBeNull();
    expect(missingMount('/mnt//tank/store/', { mounts: [ROOT], fstab: wanted })).toBe(missing);
  });
});
