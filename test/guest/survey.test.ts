import { describe, expect, it } from 'vitest';
import { pbsDatastores } from '../../src/checks/pbs.datastores.js';
import type { Target } from '../../src/config/target.js';
import { readSurvey } from '../../src/guest/survey.js';
import { verdict } from '../../src/rules/verdict.js';
import { ASKING } from '../checks/judge.js';

const part = (name: string, text: string, code = 0) => `\n@@${name}\n${text}\n\n@@=${code}\n`;
/** What the guest of a host says whose datastore tank lies in /mnt/tank. */
const said = (parts: Readonly<Record<string, string>> = {}) =>
  [
    ...[
      ['boot', '5d3c'],
      ['now', '1764000000\n3600.25'],
      ['kernel', '6.14.8-2-pve'],
      ['certificate', ''],
      ['pins', ''],
      ['lists', ''],
      ['audit', ''],
      ['locks', ''],
      ['plan', ''],
      ['spare', ''],
      ['both', ''],
      ['held', ''],
      ['carriers', ''],
      ['packages', 'ii |proxmox-backup-server|4.2.1'],
      ['failed', ''],
      ['requirers', ''],
      ['mounts', '/ /dev/sda1 ext4'],
      ['fstab', ''],
      ['free', '/ 123456789 /'],
      ['kernels', ''],
      ['uris', ''],
      ['units', ''],
      ['reboot', ''],
    ].map(([name = '', text = '']) => part(name, parts[name] ?? text)),
    '\n@@end\n',
  ].join('');

describe('a survey of the guest', () => {
  it.each`
    fstab                                    | status     | because
    ${'/dev/sdb1 /mnt/tank ext4 nofail 0 2'} | ${'block'} | ${'it should be mounted at boot'}
    ${'/dev/sdb1 /mnt/tank ext4 noauto 0 2'} | ${'other'} | ${'it is mounted by hand'}
  `(
    'makes preflight and verify say $status for "$fstab" that is not mounted: $because',
    ({ fstab, status }) => {
      const survey = readSurvey(said({ fstab }));
      const { status: before } = pbsDatastores.judge(
        {
          datastores: [{ name: 'tank', maintenance: null, mounted: null }],
          usage: [{ name: 'tank', error: null, mounted: null, total: 1, used: 1, available: 0 }],
          paths: new Map([['tank', '/mnt/tank']]),
          orphans: [],
          pools: [],
          survey,
          surveyError: null,
          needsSurvey: true,
        } as unknown as Parameters<typeof pbsDatastores.judge>[0],
        { target: {} as Target, now: 0, ownRun: null, ...ASKING },
      );
      const after = verdict(
        null,
        {
          state: { version: '4.2.1', kernel: '6.14.8-2-pve', bootTime: '', datastores: [] },
          services: [],
          survey,
          surveyError: null,
          paths: new Map([['tank', '/mnt/tank']]),
          hasGuest: true,
          requiredUnits: [],
          packages: { pending: [], kernels: [] },
        },
        null,
      ).find(({ id }) => id === 'verify.mounts');
      expect([before === 'block', after?.status === 'block']).toEqual([
        status === 'block',
        status === 'block',
      ]);
    },
  );

  it('agrees with pbs.datastores on a datastore that shares the root file system', () => {
    const survey = readSurvey(said());
    const mounts = verdict(
      null,
      {
        state: { version: '4.2.1', kernel: '6.14.8-2-pve', bootTime: '', datastores: [] },
        services: [],
        survey: { ...survey, mounts: [{ target: '/', source: '/dev/sda1', fstype: 'ext4' }], fstab: ['/'] },
        surveyError: null,
        paths: new Map([['tank', '/backup/tank']]),
        hasGuest: true,
        requiredUnits: [],
        packages: { pending: [], kernels: [] },
      },
      null,
    ).find(({ id }) => id === 'verify.mounts');
    expect(mounts).toMatchObject({
      status: 'pass',
      summary: 'every datastore is where it belongs; tank on the root file system',
    });
  });

  it.each`
    pins                                                                                                                     | pinned                                                                            | because
    ${''}                                                                                                                    | ${null}                                                                           | ${'none is there'}
    ${'/etc/kernel/proxmox-boot-pin 6.14.8-2-pve '}                                                                          | ${{ kernel: '6.14.8-2-pve', file: '/etc/kernel/proxmox-boot-pin' }}               | ${'proxmox-boot-tool has pinned it'}
    ${'/etc/kernel/next-boot-pin 6.17.4-1-pve\n/etc/kernel/proxmox-boot-pin 6.14.8-2-pve'}                                   | ${{ kernel: '6.17.4-1-pve', file: '/etc/kernel/next-boot-pin' }}                  | ${'that of the next boot comes first'}
    ${'/etc/kernel/proxmox-boot-pin 6.12.43+deb13-amd64'}                                                                    | ${{ kernel: '6.12.43+deb13-amd64', file: '/etc/kernel/proxmox-boot-pin' }}        | ${'a kernel of Debian can be pinned'}
    ${'/etc/default/grub.d/proxmox-kernel-pin.cfg GRUB_DEFAULT="gnulinux-advanced-1-2>gnulinux-6.14.8-2-pve-advanced-1-2" '} | ${{ kernel: '6.14.8-2-pve', file: '/etc/default/grub.d/proxmox-kernel-pin.cfg' }} | ${'GRUB has it in an entry of its menu'}
    ${'/etc/kernel/proxmox-boot-pin # nothing'}                                                                              | ${null}                                                                           | ${'it names none'}
  `('reads a pinned kernel where $because', ({ pins, pinned }) => {
    expect(readSurvey(said({ pins })).pinned).toEqual(pinned);
  });

  it.each`
    lists           | at               | because
    ${''}           | ${null}          | ${'there are none'}
    ${'1763953920'} | ${1_763_953_920} | ${'that is when they were last written'}
  `('knows as of when the package lists are: $at, since $because', ({ lists, at }) => {
    expect(readSurvey(said({ lists })).listsAt).toBe(at);
  });

  it('reads which units require a failed one', () => {
    const requirers =
      'Id=iscsid.service\nRequiredBy=open-iscsi.service\nBoundBy=a.service b.service\n\nId=open-iscsi.service\nRequiredBy=\n';
    expect([...readSurvey(said({ requirers })).requiredBy]).toEqual([
      ['iscsid.service', ['open-iscsi.service', 'a.service', 'b.service']],
      ['open-iscsi.service', []],
    ]);
  });

  it('is refused where a part is missing or its output ends early', () => {
    expect(() => readSurvey(said().replace('@@kernel', '@@other'))).toThrow(/"kernel" is missing/);
    expect(() => readSurvey(said().replace('@@end', ''))).toThrow(/ends early/);
  });
});
