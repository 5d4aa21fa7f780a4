import { afterEach, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson, start } from '../support/command.js';
import { BOOT_ID, type GuestLab, startGuestLab } from './lab.js';

const UPGRADES = 'grep -c "^Commandline: .*dist-upgrade" /var/log/apt/history.log';
const HALF_WAY = ' lab-slow ';

let running: GuestLab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** A run whose upgrade stands still in the middle, with pbs-ctl killed. */
async function killedHalfWay(policy: Readonly<Record<string, unknown>> = {}) {
  running = await startGuestLab(policy);
  const { guest, args } = running;
  await guest.writeFile('/etc/lab/slow', '600\n');
  const first = start(args('patch', '--verbose'));
  await first.says(HALF_WAY);
  first.kill('SIGKILL');
  await first.ended;
  return running;
}

describe('pbs-ctl is killed during the upgrade and started again', () => {
  it('finds the unit still running, waits for it, and goes on to the end', async () => {
    const { guest, args, vm } = await killedHalfWay();
    const before = await guest.sh(BOOT_ID);
    const second = start(args('patch', '--verbose', '--json'));
    await second.says(HALF_WAY);
    await guest.sh('rm /etc/lab/slow');
    const { code, stdout, stderr } = await second.ended;
    const document = JSON.parse(stdout) as RunDocument;
    expect({ ...document, stderr }).toMatchObject({ outcome: 'patched', resumed: true, error: null });
    expect(code).toBe(0);
    expect(document.packages.upgraded.map(({ name }) => name)).toContain('lab-slow');
    expect(await guest.sh(UPGRADES)).toBe('1');
    expect(await guest.sh(BOOT_ID)).not.toBe(before);
    expect(vm.boots).toBe(2);
  });

  it('finds the unit ended meanwhile, takes its result, and clears it away', async () => {
    const { guest, args, vm } = await killedHalfWay({ reboot: 'never' });
    await guest.sh(
      'rm /etc/lab/slow; while [ "$(systemctl is-active pbs-ctl-upgrade-\\*)" = active ] && ! systemctl show -p SubState pbs-ctl-upgrade-\\* | grep -q exited; do sleep 1; done',
    );
    const { document, code, stderr } = await pbsCtlJson<RunDocument>(args('patch', '--verbose'));
    expect({ ...document, stderr }).toMatchObject({
      outcome: 'patched',
      resumed: true,
      reboot: null,
      error: null,
    });
    expect(code).toBe(0);
    expect(await guest.sh(UPGRADES)).toBe('1');
    expect(vm.boots).toBe(1);
    expect(
      await guest.sh(
        "systemctl list-units --all --plain --no-legend 'pbs-ctl*'; ls -d /run/pbs-ctl* 2>/dev/null || true",
      ),
    ).toBe('');
  });
});
