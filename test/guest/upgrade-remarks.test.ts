import { describe, expect, it } from 'vitest';
import { remarksIn } from '../../src/guest/upgrade-remarks.js';

const SKIPPED = (uuid: string) =>
  `WARN: /dev/disk/by-uuid/${uuid} does not exist - clean '/etc/kernel/proxmox-boot-uuids'! - skipping`;

describe('what an upgrade said besides', () => {
  it.each([
    ['no EFI system partition is there', [SKIPPED('A'), SKIPPED('B')], 2],
    ['one of two is there', [SKIPPED('A'), 'Copying and configuring kernels on /dev/disk/by-uuid/B'], 0],
    ['grub cannot be installed', ['grub-install: error: cannot find EFI directory.'], 1],
    ['an initramfs fails', ['update-initramfs: failed for /boot/initrd.img-6.17.4-1-pve with 1.'], 1],
    ['firmware may be missing', ['W: Possible missing firmware /lib/firmware/a.bin for module a'], 0],
    ['all is as usual', ['update-initramfs: Generating /boot/initrd.img-6.17.4-1-pve', 'done'], 0],
  ])('where %s', (_, lines, failed) => expect(remarksIn(lines).bootFailed).toHaveLength(failed));

  it('is what warns of the boot loader, and not of what is usual', () =>
    expect(
      remarksIn([
        'Warning: os-prober will not be executed to detect other bootable partitions.',
        'W: Possible missing firmware /lib/firmware/a.bin for module a',
        'update-initramfs: Generating /boot/initrd.img-6.17.4-1-pve',
        'perl: warning: Setting locale failed.',
      ]).boot,
    ).toEqual(['W: Possible missing firmware /lib/firmware/a.bin for module a']));

  it('names the configuration files that were kept', () =>
    expect(
      remarksIn([
        "Configuration file '/etc/a.conf'",
        ' ==> Modified (by you or by a script) since installation.',
        ' ==> Package distributor has shipped an updated version.',
        ' ==> Keeping old config file as default.',
        "Configuration file '/etc/b.conf'",
        ' ==> Using new config file as default.',
      ]).keptFiles,
    ).toEqual(['/etc/a.conf']));
});
