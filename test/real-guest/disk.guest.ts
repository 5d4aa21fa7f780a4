import { afterEach, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson } from '../support/command.js';
import { fences } from '../support/lab.js';
import { type GuestLab, startGuestLab } from './lab.js';

let running: GuestLab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

it('the root file system is nearly full: postponed, with what is left of it', async () => {
  running = await startGuestLab();
  const { guest, args, lab } = running;
  await guest.sh('fallocate -l $(($(df -B1 --output=avail / | tail -n 1) - 100 * 1048576)) /filler');
  const { document, code } = await pbsCtlJson<RunDocument>(args('patch'));
  expect(document).toMatchObject({ outcome: 'postponed', leftBehind: { fenced: [], locks: [] } });
  expect(code).toBe(75);
  expect(document.checks.find(({ id }) => id === 'pbs.disk')).toMatchObject({
    status: 'block',
    summary: expect.stringMatching(/^(?:9\d|100)(?:\.\d+)? MiB free/),
  });
  expect(fences(lab)).toEqual([]);
});

it('the disk of a datastore is gone after the reboot: unverified, and the fence stays up', async () => {
  running = await startGuestLab({ rebootTimeout: '2m' });
  const { vm, guest, args, lab } = running;
  vm.disks = ['root', 'vault'];
  const { document, code, stderr } = await pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  expect({ ...document, stderr }).toMatchObject({
    outcome: 'unverified',
    reboot: { count: 1 },
    leftBehind: { fenced: ['tank', 'vault'], locks: ['main'] },
  });
  expect(code).toBe(3);
  expect(document.error?.message).toContain('tank');
  expect(fences(lab)).toHaveLength(2);
  // What makes it dangerous: the system itself sees nothing wrong.
  expect(await guest.sh('systemctl is-system-running --wait')).toBe('running');
  expect(await guest.sh('systemctl --failed --plain --no-legend')).toBe('');
});
