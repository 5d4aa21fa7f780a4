import { describe, expect, it } from 'vitest';
import { symptomsOf } from '../../src/rules/symptoms.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';

const STORES = new Map([['tank', '/mnt/tank']]);
const error = (device: string, ofFileSystem = false) => [
  { device, ofFileSystem, line: `error of ${device}` },
];
const atBoot = (more: object) => ({
  atBoot: { passphrases: [], mustMount: [], missingInterfaces: [], interfaces: ['lo', 'ens19'], ...more },
});
const apt = [{ file: '/var/lib/dpkg/lock', pid: 7, process: 'apt-get' }];
const space = (target: string, availableBytes: number, totalBytes = 100e9) => [
  { target, availableBytes, totalBytes },
];

describe('what the guest shows', () => {
  it('is nothing where nothing is wrong', () => expect(symptomsOf(NO_SYMPTOMS, STORES)).toEqual([]));

  it.each`
    seen                                                                  | kind                 | check               | blocks   | holds    | says
    ${{ readOnlyMounts: ['/mnt/tank'] }}                                  | ${'read-only'}       | ${'pbs.datastores'} | ${true}  | ${true}  | ${/^tank: \/mnt\/tank is mounted read-only, as when the kernel has seen errors on its disk$/}
    ${{ readOnlyMounts: ['/mnt/tank'], diskErrors: error('sdb1', true) }} | ${'read-only'}       | ${'pbs.datastores'} | ${true}  | ${true}  | ${/the kernel has seen errors on its disk \(error of sdb1\)/}
    ${{ readOnlyMounts: ['/'] }}                                          | ${'read-only'}       | ${'pbs.disk'}       | ${true}  | ${true}  | ${/^\/ is mounted read-only/}
    ${{ readOnlyMounts: ['/srv'], fstab: ['/srv'] }}                      | ${'read-only'}       | ${'pbs.disk'}       | ${false} | ${false} | ${/^\/srv is mounted read-only/}
    ${{ diskErrors: error('sdb') }}                                       | ${'disk-errors'}     | ${'pbs.disk'}       | ${true}  | ${true}  | ${/^tank: the kernel has seen errors on disk sdb/}
    ${{ diskErrors: error('dm-1', true) }}                                | ${'disk-errors'}     | ${'pbs.disk'}       | ${true}  | ${true}  | ${/on disk dm-1/}
    ${{ diskErrors: error('sdz') }}                                       | ${'disk-errors'}     | ${'pbs.disk'}       | ${false} | ${false} | ${/on disk sdz/}
    ${{ space: space('/', 49 * 1024 ** 2) }}                              | ${'full'}            | ${'pbs.disk'}       | ${true}  | ${false} | ${/\/ is full \(49 MiB left\)/}
    ${{ space: space('/boot/efi', 4e6, 100e6) }}                          | ${'full'}            | ${'pbs.disk'}       | ${true}  | ${false} | ${/\/boot\/efi is full/}
    ${{ missingMounts: ['/mnt/tank'], mounts: [] }}                       | ${'not-mounted'}     | ${'pbs.datastores'} | ${true}  | ${true}  | ${/^tank: \/mnt\/tank is in fstab and not mounted/}
    ${{ missingMounts: ['/srv'] }}                                        | ${'not-mounted'}     | ${'pbs.datastores'} | ${false} | ${false} | ${/^\/srv is in fstab and not mounted/}
    ${{ aptLocks: apt }}                                                  | ${'apt-at-work'}     | ${'guest.packages'} | ${true}  | ${false} | ${/^apt-get \(process 7\) is at work on packages/}
    ${{ aptLocks: apt, audit: 'half done' }}                              | ${'apt-at-work'}     | ${'guest.packages'} | ${true}  | ${false} | ${/^apt-get \(process 7\)/}
    ${{ audit: 'The following packages are only half configured:\n  x' }} | ${'half-configured'} | ${'guest.packages'} | ${true}  | ${true}  | ${/^dpkg --audit reports: The following/}
    ${{ failedUnits: ['chrony.service'] }}                                | ${'failed-units'}    | ${'guest.agent'}    | ${false} | ${false} | ${/^failed: chrony\.service/}
    ${atBoot({ passphrases: ['dm_crypt-0'] })}                            | ${'passphrase'}      | ${'guest.agent'}    | ${false} | ${false} | ${/^it asks for a passphrase at its boot \(dm_crypt-0 of \/etc\/crypttab\)$/}
    ${atBoot({ mustMount: ['/mnt/tank'] })}                               | ${'must-mount'}      | ${'guest.agent'}    | ${false} | ${false} | ${/^\/mnt\/tank in fstab without nofail: where it is missing, the boot stops/}
    ${atBoot({ missingInterfaces: ['ens18'] })}                           | ${'interfaces'}      | ${'guest.agent'}    | ${false} | ${false} | ${/names ens18, which is not there \(there: ens19\)$/}
  `(
    '$kind of $check: blocks $blocks, holds the fence $holds, "$says"',
    ({ seen, kind, check, blocks, holds, says }) => {
      const found = symptomsOf({ ...NO_SYMPTOMS, ...seen }, STORES);
      expect(found).toMatchObject([
        { kind, check, blocks, holdsFence: holds, summary: expect.stringMatching(says) },
      ]);
      expect(found[0]?.steps.length).toBeGreaterThan(0);
    },
  );

  it.each`
    seen                                          | because
    ${{ space: space('/', 50 * 1024 ** 2) }}      | ${'that much does'}
    ${{ space: space('/boot/efi', 30e6, 100e6) }} | ${'a small one needs less'}
    ${{ space: space('/mnt/tank', 0) }}           | ${'a datastore that is full is told by PBS'}
    ${atBoot({})}                                 | ${'nothing keeps it from coming back'}
    ${{ readOnlyMounts: ['/srv'] }}               | ${'fstab does not know it, and no datastore is on it'}
  `('is not $seen: $because', ({ seen }) =>
    expect(symptomsOf({ ...NO_SYMPTOMS, ...seen }, STORES)).toEqual([]),
  );
});
