import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { run, show, start, stopMachines, UPGRADE, unitEnds, until, VANISHED } from './machines.js';

afterEach(stopMachines);

describe('reboot', () => {
  it('goes silent, comes back with a new boot id and the newest kernel, and an empty /run', async () => {
    const { machine, record } = start({ upgrade: { seconds: 5 } });
    const before = { bootId: machine.bootId, at: machine.bootedAt };
    const events: string[] = [];
    for (const event of [
      'going-down',
      'down',
      'booting',
      'kernel-up',
      'agent-up',
      'services-up',
      'up',
    ] as const) {
      machine.on(event, () => events.push(event));
    }
    await run(machine, UPGRADE);
    await unitEnds(machine, 'up');
    // Not to its end: the agent may be silent by then.
    machine.exec(['/bin/sh', '-c', 'systemctl reboot']);
    await until(() => !machine.agentAnswers);
    expect(machine.power).toBe('running');
    await until(() => machine.phase === 'up' && machine.agentAnswers);
    expect(events).toEqual(['going-down', 'down', 'booting', 'kernel-up', 'agent-up', 'services-up', 'up']);
    expect((await run(machine, 'uname -r; cat /proc/sys/kernel/random/boot_id; ls /run')).out).toBe(
      `6.17.4-1-pve\n${machine.bootId}\n`,
    );
    expect(machine.bootId).not.toBe(before.bootId);
    expect(machine.bootedAt).toBeGreaterThan(before.at);
    expect(await show(machine, 'up')).toEqual(VANISHED);
    expect(record.events.filter(({ kind }) => kind === 'reboot')).toHaveLength(1);
  });

  it('in the middle of an upgrade leaves an interrupted dpkg', async () => {
    const { machine } = start();
    await run(machine, UPGRADE);
    await until(() =>
      machine.installedPackages().some(({ name, version }) => name === 'openssl' && version.endsWith('u2')),
    );
    machine.reboot();
    await until(() => machine.phase === 'booting');
    await until(() => machine.agentAnswers);
    expect((await run(machine, 'apt-get -y dist-upgrade')).err).toContain('dpkg was interrupted');
    expect((await run(machine, 'cat /proc/locks')).out).toBe('');
  });

  it('shows a missing datastore only where mounts are looked at', async () => {
    const { machine } = start({ boot: { losesMounts: ['/mnt/datastore/tank'] } });
    machine.reboot();
    await until(() => machine.phase === 'booting');
    await until(() => machine.phase === 'up');
    const { out } = await run(
      machine,
      'systemctl is-system-running; systemctl --failed --plain --no-legend; findmnt /mnt/datastore/tank; ls -A /mnt/datastore/tank; systemctl show -p ActiveState,LoadState mnt-datastore-tank.mount; journalctl -b -u systemd --no-pager -o cat',
    );
    expect(out).toBe('running\nLoadState=loaded\nActiveState=inactive\n-- No entries --\n');
    expect(machine.mounts().map(({ path }) => path)).toEqual(['/']);
  });

  it('may be swallowed, end in emergency mode, or leave the machine off', async () => {
    const swallowed = start({ boot: { swallowsReboots: 1 } });
    swallowed.machine.reboot();
    expect(swallowed.machine.phase).toBe('up');
    const lost = start({ boot: { neverComesBack: 'emergency' } }).machine;
    const off = start({ boot: { neverComesBack: 'stopped' } }).machine;
    lost.reboot();
    off.reboot();
    await delay((45 * 1000) / 60);
    expect([lost.power, lost.phase, lost.agentAnswers]).toEqual(['running', 'booting', false]);
    expect([off.power, off.agentAnswers]).toEqual(['stopped', false]);
  });
});
