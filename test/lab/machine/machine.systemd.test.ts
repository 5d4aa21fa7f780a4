import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import { run, show, start, stopMachines, unitEnds, VANISHED } from './machines.js';

afterEach(stopMachines);

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
