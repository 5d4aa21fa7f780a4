import { afterEach, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson, start } from '../support/command.js';
import { fences } from '../support/lab.js';
import { type GuestLab, startGuestLab } from './lab.js';

let running: GuestLab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

it('the VM dies in the middle of dpkg: preflight blocks on what dpkg says of it, and repairDpkg mends it', async () => {
  running = await startGuestLab();
  const { guest, vm, lab, args } = running;
  await guest.writeFile('/etc/lab/slow', '600\n');
  const first = start(args('patch', '--verbose'));
  await first.says(' lab-slow ');
  first.kill('SIGKILL');
  await first.ended;
  // What a file system loses with the power differs from time to time; that dpkg is cut short must not.
  await guest.sh('sync');
  await vm.cutPower();
  await vm.powerOn();
  await vm.untilApi();
  await guest.sh('rm -f /etc/lab/slow');
  const audit = await guest.sh('dpkg --audit');
  expect(audit).toMatch(/half configured|not yet configured/);

  const preflight = await pbsCtlJson<Pick<RunDocument, 'checks'>>(args('preflight'));
  expect(preflight.code).toBe(75);
  const packages = preflight.document.checks.find(({ id }) => id === 'guest.packages');
  expect(packages?.status).toBe('block');
  expect(packages?.detail.audit).toBe(audit);

  const failed = await pbsCtlJson<RunDocument>(args('patch'));
  expect(failed.document).toMatchObject({ outcome: 'failed', error: { code: 'upgrade.incomplete' } });
  expect(fences(lab)).toHaveLength(2);

  running.setPolicy({ repairDpkg: true });
  const mended = await pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  expect(mended.document, mended.stderr).toMatchObject({ outcome: 'patched', error: null });
  expect(await guest.sh('dpkg --audit')).toBe('');
  expect((await guest.pendingUpgrades()).map(({ name }) => name)).toEqual(['lab-held']);
  expect(fences(lab)).toEqual([]);
});
