import { describe, expect, it } from 'vitest';
import { GuestConfig } from '../../src/api/pve-answers.js';
import { vmTroubles } from '../../src/rules/vm-return.js';

const DISK = 'local-zfs:vm-900-disk-0,size=32G';
const of = (config: object, haManaged = false) =>
  vmTroubles(GuestConfig.parse({ digest: 'd', scsi0: DISK, net0: 'virtio=AA', ...config }), 900, haManaged);

describe('a VM that is rebooted from inside', () => {
  it.each`
    config                                                               | ha       | blocks   | says
    ${{ reboot: 0 }}                                                     | ${false} | ${true}  | ${/^VM 900 ends at a reboot .*its option reboot is 0$/}
    ${{ reboot: '0' }}                                                   | ${true}  | ${false} | ${/option reboot is 0; HA starts it again$/}
    ${{ args: '-cpu host -no-reboot' }}                                  | ${false} | ${true}  | ${/its args say so$/}
    ${{ args: '-action reboot=shutdown' }}                               | ${false} | ${true}  | ${/its args say so$/}
    ${{ boot: 'order=net0;scsi0' }}                                      | ${false} | ${false} | ${/tries net0 before its disk scsi0/}
    ${{ boot: 'order=ide2;scsi0', ide2: 'local:iso/a.iso,media=cdrom' }} | ${false} | ${false} | ${/tries ide2 before its disk scsi0/}
    ${{ boot: 'order=scsi9' }}                                           | ${false} | ${false} | ${/\(scsi9\) names no disk that it has/}
    ${{ boot: 'order=' }}                                                | ${false} | ${false} | ${/names no disk that it has/}
  `('may not come back with $config (HA: $ha)', ({ config, ha, blocks, says }) => {
    expect(of(config, ha)).toMatchObject([{ blocks, summary: expect.stringMatching(says) }]);
  });

  it.each([
    {},
    { reboot: 1 },
    { reboot: '1' },
    { boot: 'order=scsi0;net0' },
    { boot: 'order=ide2;scsi0', ide2: 'none,media=cdrom' },
    { boot: 'order=scsi0;ide2', ide2: 'local:iso/a.iso,media=cdrom' },
    { boot: 'cdn', bootdisk: 'scsi0' },
    { args: '-cpu host' },
  ])('comes back with %j', (config) => expect(of(config)).toEqual([]));

  it('gets the command that sets it right', () => {
    expect(of({ reboot: 0 })[0]?.set).toBe('--reboot 1');
    expect(of({ boot: 'order=net0;scsi0' })[0]?.set).toBe("--boot 'order=scsi0;net0'");
  });
});
