import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { Machine } from '../../../src/lab/machine/machine.js';
import type { MachineSpec } from '../../../src/lab/machine/spec.js';
import { LabRecord } from '../../../src/lab/record.js';
import { LabTime } from '../../../src/lab/time.js';

const machines: Array<{ machine: Machine; dir: string; time: LabTime }> = [];

function start(spec: MachineSpec = {}, { factor = 60, name = 'pbs01' } = {}) {
  const dir = mkdtempSync(join(tmpdir(), 'machine-'));
  const time = new LabTime(factor);
  const record = new LabRecord();
  const machine = new Machine({ name, vmid: 900, time, record, dir: join(dir, name), spec });
  machines.push({ machine, dir, time });
  return { machine, record, kinds: () => record.events.map(({ kind }) => kind) };
}

afterEach(() => {
  for (const { machine, dir, time } of machines.splice(0)) {
    machine.stop();
    time.stop();
    rmSync(dir, { recursive: true, force: true });
  }
});

async function until<T>(question: () => T | undefined | false, limitMs = 20_000): Promise<T> {
  const deadline = Date.now() + limitMs;
  for (;;) {
    const answer = question();
    if (answer !== undefined && answer !== false) return answer as T;
    if (Date.now() > deadline) throw new Error(`not within ${limitMs} ms: ${question}`);
    await delay(10);
  }
}

async function run(machine: Machine, command: string | string[]) {
  const pid = machine.exec(typeof command === 'string' ? ['/bin/sh', '-c', command] : command);
  const end = await until(() => {
    const state = machine.execStatus(pid);
    return state.exited && state;
  });
  return {
    code: end.exitcode,
    signal: end.signal,
    out: String(end.out ?? ''),
    err: String(end.err ?? ''),
    end,
  };
}

const show = async (machine: Machine, unit: string) =>
  (
    await run(
      machine,
      `systemctl show -p LoadState,ActiveState,SubState,Result,ExecMainCode,ExecMainStatus ${unit}`,
    )
  ).out
    .trim()
    .split('\n');

const unitEnds = (machine: Machine, unit: string, limitMs = 20_000) => {
  const deadline = Date.now() + limitMs;
  const look = async (): Promise<string[]> => {
    const lines = await show(machine, unit);
    if (!lines.includes('SubState=running')) return lines;
    if (Date.now() > deadline) throw new Error(`${unit} is still running`);
    await delay(30);
    return look();
  };
  return look();
};

const UPGRADE = [
  'mkdir -p /run/up && exec systemd-run --unit=up --remain-after-exit',
  '-p StandardOutput=file:/run/up/log -p StandardError=inherit -E DEBIAN_FRONTEND=noninteractive -E HOME=/root',
  '-E PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin -E LC_ALL=C.UTF-8',
  "/bin/sh -c 'apt-get -y -q -o DPkg::Lock::Timeout=60 -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold",
  "-o APT::Status-Fd=3 dist-upgrade 3>/run/up/status </dev/null'",
].join(' ');

const VANISHED = [
  'Result=success',
  'ExecMainCode=0',
  'ExecMainStatus=0',
  'LoadState=not-found',
  'ActiveState=inactive',
  'SubState=dead',
];

describe('exec', () => {
  it('hands out an end once, with both streams and without a key for a silent one', async () => {
    const { machine } = start();
    const pid = machine.exec(['/bin/sh', '-c', 'echo out; exit 7']);
    const end = await until(() => {
      const state = machine.execStatus(pid);
      return state.exited && state;
    });
    expect(end).toEqual({ exited: true, exitcode: 7, out: Buffer.from('out\n') });
    expect(() => machine.execStatus(pid)).toThrow("Invalid parameter 'pid'");
  });

  it('tells a signal instead of an exit code', async () => {
    const { end } = await run(start().machine, 'kill -9 $$');
    expect(end).toEqual({ exited: true, signal: 9 });
  });

  it('reads as running while a child keeps the stream open', async () => {
    const { machine } = start();
    const pid = machine.exec(['/bin/sh', '-c', 'sleep 0.4 & echo x']);
    await delay(200);
    expect(machine.execStatus(pid)).toEqual({ exited: false });
    expect((await run(machine, 'sleep 5 >/dev/null 2>&1 & echo x')).out).toBe('x\n');
  });

  it('refuses a program that is not there or not executable', () => {
    const { machine } = start();
    expect(() => machine.exec(['/no/such'])).toThrow(
      "Guest agent command failed, error was 'Failed to execute child process “/no/such” (No such file or directory)'",
    );
    expect(() => machine.exec(['/etc/fstab'])).toThrow('(Permission denied)');
  });

  it('has the environment of a service, and no HOME', async () => {
    const { out } = await run(start().machine, 'echo "$HOME|$LC_ALL|$LANG"');
    expect(out).toBe('||C\n');
  });

  it('plays a file system that the script sees under the usual names', async () => {
    const { machine } = start();
    const { out } = await run(
      machine,
      'echo hello >/run/x; d=/var/lib/dpkg; ls /run $d/lock-frontend; cat /run/x',
    );
    expect(out).toContain('/var/lib/dpkg/lock-frontend\n');
    expect(out).not.toContain(machine.root);
    expect(String(machine.readFile('/run/x'))).toBe('hello\n');
    expect(existsSync('/run/x')).toBe(false);
    expect(() => machine.readFile('/no/such')).toThrow(
      "failed to open file '/no/such' (mode: 'r'): No such file or directory",
    );
  });

  it('works in a folder whose name a shell would take apart', async () => {
    const { machine } = start({}, { name: "it's a $HOME" });
    expect((await run(machine, 'cat /etc/hostname; apt-mark showhold; test -d /var/lib/dpkg')).out).toBe(
      "it's a $HOME\n",
    );
  });

  it('is refused where it is blocked or frozen, while guest-info answers', () => {
    const { machine } = start({ agent: { execAllowed: false } });
    expect(() => machine.exec(['true'])).toThrow('Command guest-exec has been disabled');
    expect(String(machine.readFile('/proc/sys/kernel/random/boot_id')).trim()).toBe(machine.bootId);
    machine.agent.frozen = true;
    expect(() => machine.readFile('/etc/fstab')).toThrow('has been disabled: the agent is in frozen state');
    const enabled = machine.info().supported_commands.filter((command) => command.enabled);
    expect(enabled).toHaveLength(6);
  });
});

describe('systemd', () => {
  it('shows a unit that ended badly, one that ended well, and one that vanished', async () => {
    const { machine } = start();
    await run(
      machine,
      "systemd-run -q --unit=bad /bin/sh -c 'exit 100'; systemd-run -q --unit=good -r /bin/true; systemd-run -q --unit=lost /bin/true",
    );
    expect(await unitEnds(machine, 'bad')).toEqual([
      'Result=exit-code',
      'ExecMainCode=1',
      'ExecMainStatus=100',
      'LoadState=loaded',
      'ActiveState=failed',
      'SubState=failed',
    ]);
    expect(await unitEnds(machine, 'good')).toEqual([
      'Result=success',
      'ExecMainCode=1',
      'ExecMainStatus=0',
      'LoadState=loaded',
      'ActiveState=active',
      'SubState=exited',
    ]);
    expect(await unitEnds(machine, 'lost')).toEqual(VANISHED);
    expect(await show(machine, 'never-was')).toEqual(VANISHED);
  });

  it('refuses the name of a unit that runs, remains or has failed, until it is cleared', async () => {
    const { machine } = start();
    const again = () => run(machine, ['systemd-run', '--unit=up', '--remain-after-exit', '/bin/true']);
    expect(await again()).toMatchObject({ code: 0, err: 'Running as unit: up.service\n' });
    await unitEnds(machine, 'up');
    expect(await again()).toMatchObject({
      code: 1,
      err: 'Failed to start transient service unit: Unit up.service was already loaded or has a fragment file.\n',
    });
    expect((await run(machine, 'systemctl stop up')).code).toBe(0);
    expect((await again()).code).toBe(0);
    expect((await run(machine, 'systemctl stop no-such')).code).toBe(5);
  });

  it('stops what a unit runs', async () => {
    const { machine } = start();
    await run(machine, "systemd-run -q --unit=long /bin/sh -c 'sleep 1; touch /root/done'");
    await run(machine, 'systemctl stop long');
    expect(await show(machine, 'long')).toEqual(VANISHED);
    await delay(1200);
    expect((await run(machine, 'test -e /root/done')).code).toBe(1);
  });

  it('expands dollars itself, and $$ is the one that reaches the shell', async () => {
    const { machine } = start();
    await run(
      machine,
      `systemd-run -q --unit=x -r -p StandardOutput=file:/run/out -E GIVEN=yes /bin/sh -c 'v=1; echo "[$v][$HOME][$GIVEN][\${GIVEN:-no}][$$v][$(echo sub)]%n"'`,
    );
    await unitEnds(machine, 'x');
    expect((await run(machine, 'cat /run/out')).out).toBe('[][][yes][yes][1][sub]%n\n');
  });

  it('fails at once for a missing program', async () => {
    const { machine } = start();
    expect(await run(machine, 'systemd-run --unit=x /no/such')).toMatchObject({
      code: 1,
      err: 'Failed to find executable /no/such: No such file or directory\n',
    });
    expect(await show(machine, 'x')).toEqual(VANISHED);
  });

  it('keeps to RuntimeMaxSec', async () => {
    const { machine } = start();
    await run(machine, 'systemd-run -q --unit=x -p RuntimeMaxSec=12 sleep 30');
    expect(await unitEnds(machine, 'x')).toContain('Result=timeout');
  });

  it('lists failed units and units by pattern', async () => {
    const { machine } = start({ failedUnits: ['postfix.service'] });
    await run(machine, 'systemd-run -q --unit=pbs-ctl-upgrade-a1 -r /bin/true');
    await unitEnds(machine, 'pbs-ctl-upgrade-a1');
    const { out } = await run(
      machine,
      "systemctl list-units --failed --plain --no-legend; systemctl list-units --all --plain --no-legend 'pbs-ctl-*'; systemctl is-system-running",
    );
    expect(out).toBe(
      'postfix.service loaded failed failed postfix.service\npbs-ctl-upgrade-a1.service loaded active exited /bin/true\ndegraded\n',
    );
  });
});

describe('looking', () => {
  it('answers a whole survey quickly', async () => {
    const { machine } = start({ held: ['tzdata'] });
    const before = performance.now();
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
    expect(performance.now() - before).toBeLessThan(2000);
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
    expect(() => machine.execStatus(pid)).toThrow("Invalid parameter 'pid'");
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
    await run(machine, 'systemctl reboot');
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
