import { describe, expect, it } from 'vitest';
import { backupsRestOn } from '../../src/rules/needed-units.js';

const requiredBy = new Map([
  ['keyserver.service', ['unlock.service']],
  ['unlock.service', ['mnt-datastore-tank.mount', 'keyserver.service']],
  ['fwupd-refresh.service', ['multi-user.target']],
]);

describe('backups rest on', () => {
  it.each`
    unit                                      | needed   | because
    ${'proxmox-backup.service'}               | ${true}  | ${'it is PBS'}
    ${'proxmox-backup-proxy.service'}         | ${true}  | ${'it is PBS'}
    ${'proxmox-backup-daily-update.service'}  | ${false} | ${'it only looks for updates'}
    ${'proxmox-backup-banner.service'}        | ${false} | ${'it greets on the console'}
    ${'mnt-datastore-tank.mount'}             | ${true}  | ${'a datastore may lie there'}
    ${'mnt-datastore-tank.automount'}         | ${true}  | ${'a datastore may lie there'}
    ${'local-fs.target'}                      | ${true}  | ${'mounts are behind it'}
    ${'systemd-fsck@dev-sdb1.service'}        | ${true}  | ${'it carries a file system'}
    ${'systemd-cryptsetup@vault.service'}     | ${true}  | ${'it carries a file system'}
    ${'zfs-import-cache.service'}             | ${true}  | ${'it carries a pool'}
    ${'iscsid.service'}                       | ${true}  | ${'it carries a disk'}
    ${'nfs-client.target'}                    | ${true}  | ${'it carries a mount'}
    ${'networking.service'}                   | ${true}  | ${'clients come over it'}
    ${'ifup@eno1.service'}                    | ${true}  | ${'clients come over it'}
    ${'systemd-networkd-wait-online.service'} | ${true}  | ${'clients come over it'}
    ${'network-online.target'}                | ${true}  | ${'clients come over it'}
    ${'chrony.service'}                       | ${true}  | ${'backups bear times'}
    ${'systemd-timesyncd.service'}            | ${true}  | ${'backups bear times'}
    ${'ntpsec.service'}                       | ${true}  | ${'backups bear times'}
    ${'keyserver.service'}                    | ${true}  | ${'a mount requires it, two steps away'}
    ${'fwupd-refresh.service'}                | ${false} | ${'it has nothing to do with them'}
    ${'postfix.service'}                      | ${false} | ${'mails may wait'}
    ${'networkd-dispatcher.service'}          | ${false} | ${'only its name is like that of the network'}
    ${'apt-daily.service'}                    | ${false} | ${'it only looks for updates'}
    ${'site-check.service'}                   | ${true}  | ${'the policy names it'}
    ${'site-copy.timer'}                      | ${true}  | ${'the policy names it'}
    ${'site-check.timer'}                     | ${false} | ${'the policy names the service'}
  `('$unit: $needed, since $because', ({ unit, needed }) => {
    expect(backupsRestOn(unit, requiredBy, ['site-check', 'site-copy.timer'])).toBe(needed);
  });
});
