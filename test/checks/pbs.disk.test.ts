import { describe, expect, it } from 'vitest';
import { pbsDisk } from '../../src/checks/pbs.disk.js';
import { NO_CHANGES } from '../../src/guest/apt.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';
import { judge } from './judge.js';

const ROOM = {
  places: [{ folder: '/', target: '/', available: 2 ** 40 }],
  kernel: 100_000_000,
  kernelsOnEsp: false,
  unmountedEsps: [] as string[],
  download: 1000,
  growth: 1000,
};

describe('pbs.disk', () => {
  const seen = (available: number, symptoms: object = {}) => ({
    available,
    survey: { ...NO_SYMPTOMS, plan: null, room: ROOM, ...symptoms },
    stores: new Map([['tank', '/mnt/tank']]),
  });
  const sick = { diskErrors: [{ device: 'sdb', ofFileSystem: false, line: 'I/O error, dev sdb' }] };
  const small = { space: [{ target: '/boot', availableBytes: 2e6, totalBytes: 500e6 }] };

  it.each`
    what                              | given                                                      | round          | status     | because
    ${'as much room as is needed'}    | ${seen(2 ** 31)}                                           | ${'preflight'} | ${'pass'}  | ${''}
    ${'a byte less'}                  | ${seen(2 ** 31 - 1)}                                       | ${'preflight'} | ${'block'} | ${''}
    ${'a byte less'}                  | ${seen(2 ** 31 - 1)}                                       | ${'reboot'}    | ${'pass'}  | ${'the upgrade is done'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                     | ${'preflight'} | ${'block'} | ${'a datastore is on it'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                     | ${'reboot'}    | ${'block'} | ${'a sick disk is not rebooted'}
    ${'a disk with errors'}           | ${seen(2 ** 31, sick)}                                     | ${'unfence'}   | ${'block'} | ${'backups do not resume on it'}
    ${'a full /boot'}                 | ${seen(2 ** 31, small)}                                    | ${'reboot'}    | ${'block'} | ${'it may not boot'}
    ${'a full /boot'}                 | ${seen(2 ** 31, small)}                                    | ${'unfence'}   | ${'warn'}  | ${'backups do not need it'}
    ${'a read-only root file system'} | ${seen(2 ** 31, { readOnlyMounts: ['/'] })}                | ${'unfence'}   | ${'block'} | ${''}
    ${'a log that cannot be read'}    | ${seen(2 ** 31, { diskErrors: null })}                     | ${'preflight'} | ${'warn'}  | ${''}
    ${'a guest that is not asked'}    | ${{ available: 2 ** 31, survey: null, stores: new Map() }} | ${'preflight'} | ${'pass'}  | ${'guest.agent reports it'}
  `('says $status in round $round of $what $because', ({ given, round, status }) =>
    expect(judge(pbsDisk, given, {}, { round }).status).toBe(status),
  );

  const kernel = { name: 'proxmox-kernel-6.17.4-1-pve-signed', to: '1' };
  const boot = (available: number, more: object = {}, installed = [kernel]) =>
    seen(2 ** 40, {
      plan: { ...NO_CHANGES, installed },
      room: { ...ROOM, places: [...ROOM.places, { folder: '/boot', target: '/boot', available }], ...more },
    });
  it.each([
    ['there is room for a kernel in /boot', boot(1e8), 'pass', '95.4 MiB free on /boot, 95.4 MiB needed'],
    ['there is none', boot(1e8 - 1), 'block', '95.4 MiB free on /boot, 95.4 MiB needed'],
    ['no kernel is due', boot(0, {}, [{ name: 'libc6', to: '2' }]), 'pass', '1 TiB free on the root'],
    [
      'an ESP is not mounted',
      boot(2e9, { unmountedEsps: ['/boot/efi'] }),
      'warn',
      'not mounted, so its space is not known: /boot/efi',
    ],
  ])('before the upgrade, where %s', (_, given, status, words) => {
    const judged = judge(pbsDisk, given);
    expect(judged.status).toBe(status);
    expect(judged.summary).toContain(words);
  });
});
