import { expect, it } from 'vitest';
import { readSpace } from '../../src/guest/space.js';

const FREE = '/ 5000000000 /\n/boot 2000000 /boot\n/boot/efi 1000000 /boot/efi\n/usr 5000000000 /';

it('the space of a guest is read by folder, with what the largest kernel and its initrd take', () => {
  const kernels =
    '100 /boot/vmlinuz-6.17.2-1-pve\n700 /boot/initrd.img-6.17.2-1-pve\n90 /boot/vmlinuz-6.17.1-1-pve\nesp /boot/efi/EFI/proxmox/6.17.2-1-pve/vmlinuz-6.17.2-1-pve';
  const uris =
    "Need to get 1,234 kB of archives.\nAfter this operation, 5,018 kB of additional disk space will be used.\n'http://a/x_1.deb' x_1.deb 1000 SHA256:00\n'http://a/y_1.deb' y_1.deb 234 SHA256:00";
  expect(readSpace(FREE, kernels, uris, new Set(['/', '/boot/efi']), '')).toMatchObject({
    kernel: 800,
    kernelsOnEsp: true,
    unmountedEsps: [],
    download: 1234,
    growth: 5_018_000,
    places: expect.arrayContaining([{ folder: '/boot', target: '/boot', available: 2_000_000 }]),
  });
});

it('what is freed grows by less than nothing', () =>
  expect(
    readSpace(FREE, '', 'After this operation, 12.5 MB disk space will be freed.', new Set(), '').growth,
  ).toBe(-12_500_000));

it.each([
  ['UUID=5A2B-11C4 /boot/efi vfat defaults 0 1', '', ['/boot/efi'], 'fstab wants it'],
  ['UUID=5A2B-11C4 /efi/ vfat noauto 0 1', '', ['/efi'], 'it is mounted by hand'],
  ['', 'uuid 5A2B-11C4', ['/dev/disk/by-uuid/5A2B-11C4'], 'proxmox-boot-tool mounts it'],
])('an EFI system partition that is not mounted is named: fstab "%s", %s', (fstab, kernels, named) =>
  expect(readSpace(FREE, kernels, '', new Set(['/']), fstab).unmountedEsps).toEqual(named));
