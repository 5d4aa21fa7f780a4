import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson } from '../support/command.js';
import { everythingIn, fences } from '../support/lab.js';
import { type GuestLab, startGuestLab } from './lab.js';
import { until } from './patience.js';
import type { RealGuest } from './real-guest.js';

let running: GuestLab | undefined;
afterEach(async () => {
  await running?.stop();
  running = undefined;
});

/** Another process takes a lock of apt, as apt itself would, for so many seconds. */
const holdLock = (guest: RealGuest, file: string, seconds: number) =>
  guest.sh(
    `systemd-run -q --unit=other-apt perl -e 'use Fcntl; open(F, ">", "${file}"); $$l = pack("s s x![q] q q i", F_WRLCK, 0, 0, 0, 0); fcntl(F, F_SETLK, $$l) or die; sleep ${seconds}'
    for try in $(seq 100); do grep -q ":$(stat -c %i ${file}) " /proc/locks && exit; sleep 0.1; done; exit 1`,
  );
/** Every package with its version and state. */
const VERSIONS = 'dpkg-query -l';

it('another process holds the lock of dpkg: preflight names it and nothing is changed', async () => {
  running = await startGuestLab();
  const { guest, args, lab } = running;
  await holdLock(guest, '/var/lib/dpkg/lock-frontend', 600);
  const pid = await guest.sh('systemctl show -p MainPID --value other-apt');
  const { document, code } = await pbsCtlJson<RunDocument>(args('patch'));
  expect(document).toMatchObject({ outcome: 'postponed', reboot: null });
  expect(code).toBe(75);
  expect(document.checks.find(({ id }) => id === 'guest.packages')).toMatchObject({
    status: 'block',
    summary: expect.stringContaining(`process ${pid} `),
  });
  expect(fences(lab)).toEqual([]);
});

it('the lock is taken just before the upgrade: apt waits for it, and the run with it', async () => {
  running = await startGuestLab({ reboot: 'never' });
  const { guest, args, lab } = running;
  const patch = pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  await until('the fence', () => fences(lab).length > 0);
  await holdLock(guest, '/var/lib/dpkg/lock-frontend', 600);
  const waits = () =>
    everythingIn(join(lab.dir, 'state')).includes('Waiting for cache lock: Could not get lock');
  await until('apt at the lock', waits);
  await guest.sh('systemctl stop other-apt');
  const { document, stderr } = await patch;
  expect({ ...document, stderr }).toMatchObject({ outcome: 'patched', error: null });
  expect((await guest.pendingUpgrades()).map(({ name }) => name)).toEqual(['lab-held']);
});

it('the package lists are locked by another update: the run is postponed and undone', async () => {
  running = await startGuestLab();
  const { guest, args, lab } = running;
  // Longer than it takes to have the lock, shorter than the time limit of the request.
  lab.setWeather(({ method, path }) =>
    method === 'POST' && path.endsWith('/apt/update') ? { kind: 'late', ms: 20_000 } : null,
  );
  const patch = pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  await until('the fence', () => fences(lab).length > 0);
  await holdLock(guest, '/var/lib/apt/lists/lock', 600);
  const { document, code } = await patch;
  expect(document).toMatchObject({ outcome: 'postponed', error: { code: 'refresh.failed' } });
  expect(code).toBe(75);
  expect(fences(lab)).toEqual([]);
});

it('the upgrade would remove a protected package: refused, and nothing is changed', async () => {
  running = await startGuestLab();
  const { guest, args, lab } = running;
  await guest.addRepository('removal');
  const before = await guest.sh(VERSIONS);
  const preflight = await pbsCtlJson<Pick<RunDocument, 'checks'>>(args('preflight'));
  expect(preflight.document.checks.find(({ id }) => id === 'guest.packages')).toMatchObject({
    status: 'block',
    summary: expect.stringContaining('would remove proxmox-backup-server'),
  });
  const { document, code } = await pbsCtlJson<RunDocument>(args('patch'));
  expect(document).toMatchObject({
    outcome: 'postponed',
    reboot: null,
    leftBehind: { fenced: [], locks: [] },
  });
  expect(code).toBe(75);
  expect(await guest.sh(VERSIONS)).toBe(before);
  expect(fences(lab)).toEqual([]);
});

it('the installation script of a package fails: the run says so, and the next one goes on when it is mended', async () => {
  running = await startGuestLab({ reboot: 'never' });
  const { guest, args, lab } = running;
  await guest.writeFile('/etc/lab/fail', '\n');
  const failed = await pbsCtlJson<RunDocument>(args('patch'));
  expect(failed.document).toMatchObject({ outcome: 'failed', error: { code: 'upgrade.failed' } });
  expect(failed.document.error?.message).toContain('exit code 100');
  expect(fences(lab)).toHaveLength(2);
  await guest.sh('rm /etc/lab/fail');
  running.setPolicy({ repairDpkg: true, reboot: 'never' });
  const mended = await pbsCtlJson<RunDocument>(args('patch', '--verbose'));
  expect({ ...mended.document, stderr: mended.stderr }).toMatchObject({ outcome: 'patched', resumed: true });
  expect(await guest.sh('dpkg --audit')).toBe('');
});
