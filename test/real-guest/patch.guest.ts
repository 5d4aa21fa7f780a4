import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/report/document.js';
import { pbsCtlJson } from '../support/command.js';
import { type GuestLab, startGuestLab } from './lab.js';

const BOOT_ID = 'cat /proc/sys/kernel/random/boot_id';

describe('a whole patch of a real Debian, its agent and systemd among the upgrades', () => {
  let running: GuestLab;
  let before: string;
  let run: Awaited<ReturnType<typeof pbsCtlJson<RunDocument>>>;

  beforeAll(async () => {
    running = await startGuestLab();
    const { guest } = running;
    await guest.addRepository('real');
    before = await guest.sh(BOOT_ID);
    run = await pbsCtlJson<RunDocument>(running.args('patch', '--verbose'));
    console.log(run.stderr, JSON.stringify(run.document, null, 1));
  }, 600_000);
  afterAll(() => running.stop());

  it('ends patched, with nothing left behind', () => {
    expect(run.document).toMatchObject({
      outcome: 'patched',
      error: null,
      leftBehind: { fenced: [], locks: [] },
    });
    expect(run.code).toBe(0);
  });

  it('has rebooted once, into the newer kernel', async () => {
    const { guest, vm } = running;
    expect(await guest.sh(BOOT_ID)).not.toBe(before);
    expect(vm.boots).toBe(2);
    expect(run.document.reboot?.count).toBe(1);
    expect(run.document.after?.kernel).toBe(await guest.sh('uname -r'));
    expect(run.document.after?.kernel).not.toBe(run.document.before?.kernel);
  });
});
