import { afterEach, describe, expect, it } from 'vitest';
import { run, start, stopMachines } from './machines.js';

afterEach(stopMachines);

describe('looking', () => {
  it('answers a whole survey', async () => {
    const { machine } = start({ held: ['tzdata'] });
    const { out, err, code } = await run(
      machine,
      `uname -r; dpkg --audit; apt-get -s dist-upgrade; apt-mark showhold
      dpkg-query -W -f='\${db:Status-Abbrev}|\${Package}|\${Version}\\n'
      findmnt -rn -o TARGET,SOURCE,FSTYPE; cat /etc/fstab; df -B1 --output=size,used,avail /
      stat -c %i /var/lib/dpkg/lock-frontend; cat /proc/locks; test -e /run/reboot-required`,
    );
    expect(err).toBe('');
    expect(code).toBe(1);
    expect(out).toMatch(/^6\.17\.2-1-pve\n/);
    expect(out).toContain('7 upgraded, 1 newly installed, 0 to remove and 1 not upgraded.');
    expect(out).toContain('The following packages have been kept back:\n  tzdata\n');
    expect(out).toContain(
      'Inst proxmox-backup-server [4.2.2-1] (4.2.3-1 Proxmox Debian Repository:stable [amd64])\n',
    );
    expect(out).toContain('Inst proxmox-kernel-6.17.4-1-pve-signed (6.17.4-1 ');
    expect(out).toContain('hi |tzdata|2025b-4+deb13u1\n');
    expect(out).toContain('/mnt/datastore/tank /dev/vdb1 ext4\n');
    expect(out).toMatch(/\n *32000000000 +6000000000 +26000000000\n/);
  });

  it('asks about mount points as the real tools do', async () => {
    const { machine } = start();
    const { out } = await run(
      machine,
      'findmnt /mnt/datastore; echo $?; mountpoint /etc; echo $?; mountpoint -q /mnt/datastore/tank; echo $?; findmnt -n -o SOURCE -T /mnt/datastore/tank/.chunks',
    );
    expect(out).toBe('1\n/etc is not a mountpoint\n32\n0\n/dev/vdb1\n');
    expect(machine.fsinfo().map(({ mountpoint }) => mountpoint)).toEqual(['/', '/mnt/datastore/tank']);
  });

  it('shows broken packages without an exit code, and refuses to go on until dpkg has configured them', async () => {
    const { machine } = start({ dpkgInterrupted: true });
    const audit = await run(machine, 'dpkg --audit');
    expect(audit.code).toBe(0);
    expect(audit.out).toContain('unpacked but not yet configured');
    expect(audit.out).toContain('only half configured');
    const simulated = await run(machine, 'apt-get -s dist-upgrade');
    expect(simulated.code).toBe(0);
    expect(simulated.out).toMatch(/^Conf libssl3t64 /m);
    expect(simulated.out).not.toMatch(/^Inst libssl3t64 /m);
    expect(await run(machine, 'apt-get -y dist-upgrade')).toMatchObject({
      code: 100,
      err: expect.stringContaining("E: dpkg was interrupted, you must manually run 'dpkg --configure -a'"),
    });
    expect(
      (await run(machine, 'dpkg --force-confdef --force-confold --configure -a && dpkg --audit')).out,
    ).not.toContain('configured.');
    expect((await run(machine, 'apt-get -y dist-upgrade >/dev/null; dpkg --audit')).out).toBe('');
    expect(machine.pendingUpgrades()).toEqual([]);
  });

  it('names the packages that an upgrade would remove', async () => {
    const { machine } = start({ removes: ['proxmox-backup-server'] });
    expect((await run(machine, 'apt-get -s dist-upgrade')).out).toMatch(
      /^Remv proxmox-backup-server \[4\.2\.2-1\]$/m,
    );
  });

  it('shows a held lock, waits for it, and gives up with the real words', async () => {
    const { machine } = start({ lock: { process: 'unattended-upgr' } });
    const look = `inode=$(stat -c %i /var/lib/dpkg/lock-frontend); grep -c ":$inode " /proc/locks`;
    expect((await run(machine, look)).out).toBe('1\n');
    const atOnce = await run(machine, 'apt-get -y dist-upgrade');
    expect(atOnce).toMatchObject({ code: 100 });
    expect(atOnce.err).toBe(
      'E: Could not get lock /var/lib/dpkg/lock-frontend. It is held by process 1734 (unattended-upgr)\n' +
        'E: Unable to acquire the dpkg frontend lock (/var/lib/dpkg/lock-frontend), is another process using it?\n',
    );
    const waited = await run(machine, 'apt-get -y -o DPkg::Lock::Timeout=3 dist-upgrade');
    expect(waited.out.match(/Waiting for cache lock/g)).toHaveLength(3);
    expect(waited.err).not.toContain('Could not get lock');
    expect((await run(machine, 'dpkg --configure -a')).code).toBe(2);
    expect((await run(machine, 'apt-get -s dist-upgrade')).code).toBe(0);
  });
});
