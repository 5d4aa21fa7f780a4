import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { run, start, stopMachines, until } from './machines.js';

afterEach(stopMachines);

describe('exec', () => {
  it('hands out an end once, with both streams and without a key for a silent one', async () => {
    const { machine } = start();
    const pid = machine.exec(['/bin/sh', '-c', 'echo out; exit 7']);
    const end = await until(() => {
      const state = machine.execStatus(pid);
      return state.exited && state;
    });
    expect(end).toEqual({ exited: true, exitcode: 7, out: Buffer.from('out\n') });
    expect(() => machine.execStatus(pid)).toThrow('PID ld does not exist');
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
      'Failed to execute child process “/no/such” (No such file or directory)',
    );
    expect(() => machine.exec(['/etc/fstab'])).toThrow('(Permission denied)');
  });

  it('refuses in other words where the agent is that of Debian 12', () => {
    const { machine } = start({ release: '3.4', agent: { frozen: true } });
    expect(() => machine.exec(['true'])).toThrow('has been disabled: the agent is in frozen state');
    machine.agent.frozen = false;
    expect(() => machine.execStatus(4711)).toThrow("Invalid parameter 'pid'");
    expect(() => machine.exec(['/no/such'])).toThrow(
      "Guest agent command failed, error was 'Failed to execute child process “/no/such” (No such file or directory)'",
    );
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
    expect(() => machine.readFile('/etc/fstab')).toThrow('has been disabled: the command is not allowed');
    const enabled = machine.info().supported_commands.filter((command) => command.enabled);
    expect(enabled).toHaveLength(6);
  });
});
