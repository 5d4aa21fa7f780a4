import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson } from '../support/command.js';
import { BOOT_ID, type GuestLab, startGuestLab, timesOf } from './lab.js';

describe('a whole patch of a real Debian, with its agent and systemd among the upgrades', () => {
  let running: GuestLab;
  let bootBefore: string;
  let run: Awaited<ReturnType<typeof pbsCtlJson<RunDocument>>>;

  beforeAll(async () => {
    running = await startGuestLab();
    const { guest } = running;
    await guest.addRepository('real');
    bootBefore = await guest.sh(BOOT_ID);
    run = await pbsCtlJson<RunDocument>(running.args('patch', '--verbose'));
    console.log(timesOf(run));
  }, 600_000);
  afterAll(() => running?.stop());

  it('ends patched, with nothing left behind', () => {
    expect({ ...run.document, stderr: run.stderr }).toMatchObject({
      outcome: 'patched',
      error: null,
      leftBehind: { fenced: [], locks: [] },
    });
    expect(run.code).toBe(0);
  });

  it('has really upgraded every package that the report names, and nothing waits any more', async () => {
    const { upgraded, installed, removed, held } = run.document.packages;
    const real = new Map(
      (await running.guest.installedPackages()).map(({ name, version }) => [name, version]),
    );
    for (const { name, to } of [...upgraded, ...installed]) expect(real.get(name)).toBe(to);
    expect(upgraded.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['qemu-guest-agent', 'systemd', 'proxmox-backup-server', 'lab-kernel']),
    );
    expect(installed.map(({ name }) => name)).toEqual(['lab-kernel-2']);
    expect(removed.map(({ name }) => name)).toEqual(['lab-kernel-1']);
    expect(held).toEqual(['lab-held']);
    expect(real.get('lab-held')).toBe('1.0');
    expect((await running.guest.pendingUpgrades()).map(({ name }) => name)).toEqual(['lab-held']);
  });

  it('has rebooted once, into the newer kernel', async () => {
    const { guest, vm } = running;
    expect(await guest.sh(BOOT_ID)).not.toBe(bootBefore);
    expect(vm.boots).toBe(2);
    expect(run.document.reboot?.count).toBe(1);
    expect(run.document.after?.kernel).toBe(await guest.sh('uname -r'));
    expect(run.document.after?.kernel).not.toBe(run.document.before?.kernel);
  });

  it('got its result although the agent was restarted in the middle', async () => {
    const stops = await running.guest.sh(
      "journalctl -q -o cat -b -1 -u qemu-guest-agent | grep -c 'Stopped qemu-guest-agent'",
    );
    // Once by the upgrade, once by the reboot.
    expect(Number(stops)).toBe(2);
  });

  it('streamed the progress of apt while it ran, from the download to the last package', () => {
    const steps = [...run.stderr.matchAll(/ upgrade (\d+) %: (.*)$/gm)];
    const percents = steps.map(([, percent]) => Number(percent));
    expect(percents).toEqual([...percents].sort((a, b) => a - b));
    expect(new Set(percents).size).toBeGreaterThan(10);
    const texts = steps.map(([, , text = '']) => text).join('\n');
    expect(texts).toMatch(/^(?:Unpacking|Preparing) /m);
    expect(texts).toMatch(/^(?:Configuring|Installing|Installed) /m);
  });

  it('kept the configuration file that the administrator had changed, the new one beside it', async () => {
    const { guest } = running;
    expect(await guest.sh('cat /etc/lab/conffile.conf')).toBe('changed by the administrator');
    expect(await guest.sh('cat /etc/lab/conffile.conf.dpkg-dist')).toBe('of version 2.0');
  });

  it('left nothing of its own in the guest but entries of the journal', async () => {
    const { guest } = running;
    expect(await guest.sh("systemctl list-units --all --plain --no-legend 'pbs-ctl*'")).toBe('');
    expect(
      await guest.sh(
        "find / -xdev -path /proc -prune -o -name '*pbs-ctl*' -print; ls -d /run/pbs-ctl* 2>/dev/null || true",
      ),
    ).toBe('');
    expect(await guest.sh(`journalctl -q -o cat -b -1 -u 'pbs-ctl-upgrade-${run.document.runId}'`)).toContain(
      `Started pbs-ctl-upgrade-${run.document.runId}.service`,
    );
  });
});
