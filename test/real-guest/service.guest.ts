import { afterEach, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson } from '../support/command.js';
import { fences } from '../support/lab.js';
import { BOOT_ID, type GuestLab, startGuestLab } from './lab.js';

let running: GuestLab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

it('the other road: PBS starts the unit that the administrator has installed, and no command goes through the agent', async () => {
  running = await startGuestLab({}, 'upgrade-by-service');
  const { guest, vm, args, lab } = running;
  await guest.sh(
    'for try in $(seq 100); do [ -s /usr/local/sbin/pbs-ctl-upgrade ] && exit; sleep 0.1; done; exit 1',
  );
  const before = await guest.sh(BOOT_ID);
  const { document, code, stderr } = await pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  expect({ ...document, stderr }).toMatchObject({ outcome: 'patched', error: null });
  expect(code).toBe(0);
  expect(document.packages.upgraded.map(({ name }) => name)).toContain('proxmox-backup-server');
  expect(document.packages.held).toEqual(['lab-held']);
  expect(await guest.sh(BOOT_ID)).not.toBe(before);
  expect(vm.boots).toBe(2);
  expect(fences(lab)).toEqual([]);
  expect(lab.record.requests.filter(({ path }) => path.includes('/agent/'))).toEqual([]);
  expect(await guest.sh('journalctl -q -b -1 -u pbs-ctl-upgrade')).toContain(
    'Setting up proxmox-backup-server',
  );
});
