import { describe, expect, it } from 'vitest';
import { readAtBoot } from '../../src/guest/at-boot.js';

const seen = (parts: Readonly<Record<string, string>>) => readAtBoot((part) => parts[part] ?? '');

describe('what can keep a guest from coming back', () => {
  it.each`
    line                                                | asks     | because
    ${'dm_crypt-0 UUID=2f /root/key luks'}              | ${false} | ${'a key file is named'}
    ${'dm_crypt-0 UUID=2f none luks,discard,initramfs'} | ${true}  | ${'no key is'}
    ${'dm_crypt-0 UUID=2f - luks'}                      | ${true}  | ${'no key is'}
    ${'dm_crypt-0 UUID=2f'}                             | ${true}  | ${'no key is'}
    ${'dm_crypt-0 UUID=2f none luks,noauto'}            | ${false} | ${'it is not opened at the boot'}
    ${'dm_crypt-0 UUID=2f none luks,tpm2-device=auto'}  | ${false} | ${'the TPM has the key'}
    ${'dm_crypt-0 UUID=2f none luks,keyscript=/x'}      | ${false} | ${'a script has the key'}
    ${'swap /dev/sda2 /dev/urandom swap'}               | ${false} | ${'its key is made anew'}
    ${'# dm_crypt-0 UUID=2f none luks'}                 | ${false} | ${'it is a comment'}
  `('$line in crypttab asks for a passphrase: $asks, since $because', ({ line, asks }) =>
    expect(seen({ crypttab: line }).passphrases).toHaveLength(asks ? 1 : 0),
  );

  it.each`
    line                                       | must     | because
    ${'/dev/sdb1 /mnt/tank ext4 defaults 0 2'} | ${true}  | ${'without it the boot stops'}
    ${'/dev/sdb1 /mnt/tank ext4 nofail 0 2'}   | ${false} | ${'it may be missing'}
    ${'/dev/sdb1 /mnt/tank ext4 noauto 0 2'}   | ${false} | ${'it is not mounted at the boot'}
    ${'/dev/pbs/root / ext4 defaults 0 1'}     | ${false} | ${'nothing boots without it'}
    ${'UUID=1 /boot/efi vfat defaults 0 1'}    | ${false} | ${'nothing boots without it'}
    ${'UUID=1 none swap sw 0 0'}               | ${false} | ${'swap is not mounted'}
    ${'proc /proc proc defaults 0 0'}          | ${false} | ${'the kernel brings it'}
  `('$line in fstab has to be there: $must, since $because', ({ line, must }) =>
    expect(seen({ fstab: line }).mustMount).toHaveLength(must ? 1 : 0),
  );

  const LINKS = '1: lo: <LOOPBACK>\n2: ens19: <BROADCAST>\n    altname enp0s19\n';
  it.each`
    network                                                             | missing      | because
    ${'auto lo\nallow-hotplug ens18\niface ens18 inet static'}          | ${['ens18']} | ${'it has another name now'}
    ${'auto ens19\niface ens19 inet dhcp'}                              | ${[]}        | ${'it is there'}
    ${'auto enp0s19\niface enp0s19 inet dhcp'}                          | ${[]}        | ${'it is there by its other name'}
    ${'auto vmbr0\niface vmbr0 inet static\n  bridge-ports ens18'}      | ${['ens18']} | ${'a bridge is made, its port is not'}
    ${'auto bond0\niface bond0 inet static\n  bond-slaves ens19 ens20'} | ${['ens20']} | ${'a bond is made, its parts are not'}
    ${'auto vmbr1\niface vmbr1 inet manual\n  bridge_ports none'}       | ${[]}        | ${'it needs no port'}
    ${'auto ens19.30\niface ens19.30 inet static'}                      | ${[]}        | ${'a VLAN is made'}
    ${'iface ens18 inet manual'}                                        | ${[]}        | ${'nothing starts it'}
    ${''}                                                               | ${[]}        | ${'something else configures the network'}
  `('$network misses $missing: $because', ({ network, missing }) =>
    expect(seen({ network, links: LINKS }).missingInterfaces).toEqual(missing),
  );

  it('is not said of interfaces where none was seen', () =>
    expect(seen({ network: 'auto ens18\n', links: '' }).missingInterfaces).toEqual([]));
});
