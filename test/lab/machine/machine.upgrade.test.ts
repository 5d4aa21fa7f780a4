import { afterEach, describe, expect, it } from 'vitest';
import type { MachineSpec } from '../../../src/lab/machine/spec.js';
import { run, start, stopMachines, UPGRADE, unitEnds, until } from './machines.js';

afterEach(stopMachines);

describe('upgrade', () => {
  it('runs in its unit, counts to 100 twice, and leaves new versions', async () => {
    const { machine, kinds } = start();
    expect((await run(machine, UPGRADE)).code).toBe(0);
    await until(() => kinds().includes('upgrade-started'));
    const locked = await run(machine, 'cat /proc/locks');
    expect(await unitEnds(machine, 'up'), (await run(machine, 'cat /run/up/log')).out).toContain(
      'SubState=exited',
    );
    const { out: status } = await run(machine, 'cat /run/up/status');
    const percents = (kind: string) =>
      [...status.matchAll(new RegExp(`^${kind}:[^:]*:([\\d.]+):`, 'gm'))].map((match) => Number(match[1]));
    expect(percents('dlstatus').at(-1)).toBe(100);
    expect(percents('pmstatus')[0]).toBe(0);
    expect(percents('pmstatus').at(-1)).toBeGreaterThan(90);
    expect(percents('pmstatus').at(-1)).toBeLessThan(100);
    expect((await run(machine, 'cat /run/up/log')).out).toContain(
      'Setting up proxmox-backup-server (4.2.3-1) ...',
    );
    expect((await run(machine, 'tail -n 1 /var/log/apt/history.log; dpkg --audit')).out).toMatch(
      /^End-Date: /,
    );
    expect(machine.installedPackages()).toContainEqual({ name: 'proxmox-backup-server', version: '4.2.3-1' });
    expect(machine.pendingUpgrades()).toEqual([]);
    expect(locked.out).toMatch(/POSIX/);
    await until(() => kinds().includes('upgrade-finished'));
    expect(machine.runningKernel).toBe('6.17.2-1-pve');
  });

  it('survives a restart of the agent in the middle, which forgets its pids', async () => {
    const { machine, kinds } = start({ upgradesAgent: true });
    await run(machine, UPGRADE);
    const pid = machine.exec(['/bin/sh', '-c', 'sleep 20; touch /root/done']);
    await until(() => kinds().includes('agent-restarted'));
    await until(() => machine.agentAnswers);
    expect(() => machine.execStatus(pid)).toThrow('PID ld does not exist');
    expect(await unitEnds(machine, 'up')).toContain('SubState=exited');
    expect((await run(machine, 'dpkg --audit')).out).toBe('');
  });

  it('kills itself when it is run directly by the agent', async () => {
    const { machine, kinds } = start({ upgradesAgent: true });
    machine.exec(['/bin/sh', '-c', 'apt-get -y dist-upgrade']);
    await until(() => kinds().includes('agent-restarted'));
    await until(() => machine.agentAnswers);
    const { out } = await run(machine, 'dpkg --audit; cat /var/log/apt/history.log');
    expect(out).toContain('qemu-guest-agent');
    expect(out).not.toContain('End-Date');
    expect((await run(machine, 'apt-get -y dist-upgrade')).err).toContain('dpkg was interrupted');
  });

  it('fails as apt does when a package cannot be configured', async () => {
    const { machine } = start({ upgrade: { fails: { package: 'openssl', how: 'postinst' } } });
    await run(machine, UPGRADE);
    expect(await unitEnds(machine, 'up')).toContain('ExecMainStatus=100');
    expect((await run(machine, 'cat /run/up/status')).out).toMatch(
      /^pmerror:openssl:[\d.]+:installed openssl package post-installation script subprocess returned error exit status 1$/m,
    );
    expect((await run(machine, 'tail -n 1 /run/up/log')).out).toBe(
      'E: Sub-process /usr/bin/dpkg returned an error code (1)\n',
    );
    expect((await run(machine, 'dpkg --audit')).out).toContain(' openssl ');
    expect((await run(machine, 'apt-get check')).code).toBe(0);
  });

  it('stops at a conffile prompt without the force options, and not with them', async () => {
    const spec: MachineSpec = { upgrade: { seconds: 5, fails: { package: 'openssl', how: 'conffile' } } };
    const bare = await run(
      start(spec).machine,
      'DEBIAN_FRONTEND=noninteractive apt-get -y dist-upgrade </dev/null',
    );
    expect(bare).toMatchObject({
      code: 100,
      err: expect.stringContaining('end of file on stdin at conffile prompt'),
    });
    const { machine } = start(spec);
    await run(machine, UPGRADE);
    await unitEnds(machine, 'up');
    expect((await run(machine, "find /etc -name '*.dpkg-dist'")).out).toBe('/etc/openssl.conf.dpkg-dist\n');
  });

  it('needs -y, and -y wins over --assume-no', async () => {
    const { machine } = start({ upgrade: { seconds: 2 } });
    expect(await run(machine, 'apt-get dist-upgrade')).toMatchObject({
      code: 1,
      out: expect.stringContaining('Abort.'),
    });
    expect((await run(machine, 'apt-get -y --assume-no dist-upgrade')).code).toBe(0);
    expect(machine.pendingUpgrades()).toEqual([]);
  });
});
