import { describe, expect, it } from 'vitest';
import type { Survey } from '../../src/guest/survey.js';
import type { Baseline } from '../../src/journal/records.js';
import { expectationOf, type ObservedHost, verdict } from '../../src/rules/verdict.js';
import { NO_SYMPTOMS } from '../guest/no-symptoms.js';

const OLD = '6.14.8-2-pve';
const NEW = '6.17.4-1-pve';
const tank = { name: 'tank', state: 'ok', total: 1, used: 0, available: 1 };
const BEFORE: Baseline = {
  state: { version: '4.1.2-1', kernel: OLD, bootTime: '2026-11-01T00:00:00.000Z', datastores: [tank] },
  boot: { bootTime: 1, bootId: 'before' },
  mounts: [{ datastore: 'tank', path: '/mnt/tank', target: '/mnt/tank', source: '/dev/sdb1' }],
  failedUnits: [],
  services: ['proxmox-backup', 'proxmox-backup-proxy', 'chrony', 'postfix'],
  installed: {},
};
const changed = (...names: string[]) => names.map((name) => ({ name, from: '1', to: '2' }));
const NO_PLAN = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const survey = (more: Partial<Survey> = {}): Survey =>
  ({
    ...NO_SYMPTOMS,
    plan: NO_PLAN,
    pinned: null,
    installedPackages: new Map([[`proxmox-kernel-${OLD}-signed`, '1']]),
    requiredBy: new Map(),
    mounts: [
      { target: '/', source: '/dev/sda1', fstype: 'ext4' },
      { target: '/mnt/tank', source: '/dev/sdb1', fstype: 'ext4' },
    ],
    fstab: ['/', '/mnt/tank'],
    ...more,
  }) as Survey;
const services = (...down: string[]) =>
  BEFORE.services.map((name) => ({ name, state: down.includes(name) ? 'dead' : 'running' }));
const now = (more: Partial<ObservedHost> = {}): ObservedHost => ({
  state: BEFORE.state,
  services: services(),
  survey: survey(),
  surveyError: null,
  paths: new Map([['tank', '/mnt/tank']]),
  hasGuest: true,
  requiredUnits: [],
  packages: { pending: [], kernels: [] },
  ...more,
});
const AFTER = { upgraded: true, rebooted: true, held: [] };
const both = new Map([OLD, NEW].map((kernel) => [`proxmox-kernel-${kernel}-signed`, '1']));

const judged = (id: string, seen: ObservedHost, before: Baseline | null = BEFORE, expected = AFTER) =>
  verdict(before, seen, expected).find((each) => each.id === id);

describe('the verdict after a run', () => {
  it.each`
    plan                          | status    | words
    ${{}}                         | ${'pass'} | ${'nothing pending, nothing half installed'}
    ${{ held: ['held-one'] }}     | ${'warn'} | ${'held: held-one'}
    ${{ keptBack: ['kept-one'] }} | ${'warn'} | ${'kept back by apt: kept-one'}
  `('of packages with $plan: $status, $words', ({ plan, status, words }) => {
    const found = judged('verify.packages', now({ survey: survey({ plan: { ...NO_PLAN, ...plan } }) }));
    expect(found?.status).toBe(status);
    expect(found?.summary).toContain(words);
  });

  it('passes all of a host that is as it was', () => {
    expect(verdict(BEFORE, now(), AFTER).map(({ id, status }) => `${id} ${status}`)).toEqual([
      'verify.datastores pass',
      'verify.mounts pass',
      'verify.services pass',
      'verify.units pass',
      'verify.packages pass',
      'verify.kernel pass',
    ]);
  });

  it.each`
    datastores                                      | status     | acceptable   | because
    ${[]}                                           | ${'block'} | ${undefined} | ${'tank is gone'}
    ${[{ ...tank, name: 'other' }]}                 | ${'block'} | ${undefined} | ${'tank is gone'}
    ${[{ ...tank, state: 'unable to open' }]}       | ${'block'} | ${undefined} | ${'it cannot be used'}
    ${[tank, { ...tank, name: 'new', state: 'x' }]} | ${'block'} | ${undefined} | ${'a new one cannot be used'}
    ${[tank, { ...tank, name: 'new' }]}             | ${'pass'}  | ${undefined} | ${'one more is no loss'}
  `('of the datastores is $status when $because', ({ datastores, status, acceptable }) => {
    const found = judged('verify.datastores', now({ state: { ...BEFORE.state, datastores } }));
    expect({ status: found?.status, acceptable: found?.acceptable }).toEqual({ status, acceptable });
  });

  it('does not hold a datastore against the run that could not be used before', () => {
    const broken = { ...BEFORE.state, datastores: [tank, { ...tank, name: 'out', state: 'not mounted' }] };
    expect(judged('verify.datastores', now({ state: broken }), { ...BEFORE, state: broken })?.status).toBe(
      'pass',
    );
  });

  it('blocks where no datastore is visible, with a baseline or without', () => {
    const seen = now({ state: { ...BEFORE.state, datastores: [] } });
    expect(judged('verify.datastores', seen, null)?.status).toBe('block');
  });

  it.each`
    was            | mounted               | fstab            | status     | isAcceptable | because
    ${'/mnt/tank'} | ${['/', '/mnt/tank']} | ${['/']}         | ${'pass'}  | ${false}     | ${'it lies where it lay'}
    ${'/mnt/tank'} | ${['/']}              | ${['/']}         | ${'block'} | ${false}     | ${'its disk is gone'}
    ${'/'}         | ${['/', '/mnt/tank']} | ${['/']}         | ${'block'} | ${true}      | ${'the boot has mounted what was not before'}
    ${'/'}         | ${['/']}              | ${['/']}         | ${'pass'}  | ${false}     | ${'it shared the root before'}
    ${null}        | ${['/']}              | ${['/mnt/tank']} | ${'block'} | ${false}     | ${'fstab wants it mounted'}
    ${null}        | ${['/', '/mnt/tank']} | ${['/mnt/tank']} | ${'pass'}  | ${false}     | ${'it is mounted'}
  `('of the mounts is $status when $because', ({ was, mounted, fstab, status, isAcceptable }) => {
    const mounts = mounted.map((target: string) => ({ target, source: '/dev/x', fstype: 'ext4' }));
    const before = {
      ...BEFORE,
      mounts: was === null ? [] : [{ datastore: 'tank', path: '/mnt/tank', target: was, source: '/dev/x' }],
    };
    const found = judged('verify.mounts', now({ survey: survey({ mounts, fstab }) }), before);
    expect({ status: found?.status, isAcceptable: found?.acceptable !== undefined }).toEqual({
      status,
      isAcceptable,
    });
  });

  it.each`
    down                        | status     | acceptable                  | because
    ${[]}                       | ${'pass'}  | ${undefined}                | ${'all run'}
    ${['proxmox-backup']}       | ${'block'} | ${['proxmox-backup']}       | ${'it is PBS'}
    ${['proxmox-backup-proxy']} | ${'block'} | ${['proxmox-backup-proxy']} | ${'it is PBS'}
    ${['chrony', 'postfix']}    | ${'block'} | ${['chrony']}               | ${'backups bear times'}
    ${['postfix']}              | ${'warn'}  | ${undefined}                | ${'mails may wait'}
  `('of the services is $status when $because ($down)', ({ down, status, acceptable }) => {
    const found = judged('verify.services', now({ services: services(...down) }));
    expect({ status: found?.status, acceptable: found?.acceptable }).toEqual({ status, acceptable });
  });

  it('misses the services of PBS without a baseline, too, and those that are not listed at all', () => {
    expect(judged('verify.services', now({ services: [] }), null)).toMatchObject({
      status: 'block',
      acceptable: ['proxmox-backup', 'proxmox-backup-proxy'],
    });
  });

  it.each`
    failed                                         | before                | status     | acceptable            | because
    ${[]}                                          | ${[]}                 | ${'pass'}  | ${undefined}          | ${'none failed'}
    ${['mnt-tank.mount']}                          | ${[]}                 | ${'block'} | ${['mnt-tank.mount']} | ${'backups rest on it'}
    ${['fwupd-refresh.service']}                   | ${[]}                 | ${'warn'}  | ${undefined}          | ${'no backup rests on it'}
    ${['fwupd-refresh.service', 'chrony.service']} | ${[]}                 | ${'block'} | ${['chrony.service']} | ${'one of them is needed'}
    ${['chrony.service']}                          | ${['chrony.service']} | ${'pass'}  | ${undefined}          | ${'it had failed before'}
    ${['chrony.service', 'mnt-tank.mount']}        | ${['chrony.service']} | ${'block'} | ${['mnt-tank.mount']} | ${'another has failed since'}
    ${['site.service']}                            | ${[]}                 | ${'block'} | ${['site.service']}   | ${'the policy names it'}
  `('of the units is $status when $because ($failed)', ({ failed, before, status, acceptable }) => {
    const seen = now({ survey: survey({ failedUnits: failed }), requiredUnits: ['site'] });
    const found = judged('verify.units', seen, { ...BEFORE, failedUnits: before });
    expect({ status: found?.status, acceptable: found?.acceptable }).toEqual({ status, acceptable });
    for (const unit of failed) expect(found?.summary).toContain(unit);
  });

  it('warns of a failed unit where nothing is known of before', () => {
    const seen = now({ survey: survey({ failedUnits: ['chrony.service'] }) });
    expect(judged('verify.units', seen, null)?.status).toBe('warn');
  });

  it.each`
    seen                                                               | upgraded | status     | acceptable                                 | because
    ${{ plan: NO_PLAN }}                                               | ${true}  | ${'pass'}  | ${undefined}                               | ${'nothing waits'}
    ${{ plan: { ...NO_PLAN, upgraded: changed('libc6') } }}            | ${true}  | ${'block'} | ${['libc6']}                               | ${'one still waits after the upgrade'}
    ${{ plan: { ...NO_PLAN, installed: [{ name: 'new', to: '1' }] } }} | ${true}  | ${'block'} | ${['new']}                                 | ${'one is not installed'}
    ${{ plan: { ...NO_PLAN, upgraded: changed('libc6') } }}            | ${false} | ${'pass'}  | ${undefined}                               | ${'there was no upgrade'}
    ${{ plan: null }}                                                  | ${true}  | ${'block'} | ${undefined}                               | ${'what waits cannot be determined'}
    ${{ audit: 'libc6 is half configured\nvim too' }}                  | ${false} | ${'block'} | ${['libc6 is half configured', 'vim too']} | ${'packages are half done'}
  `('of the packages is $status when $because', ({ seen, upgraded, status, acceptable }) => {
    const found = judged('verify.packages', now({ survey: survey(seen) }), BEFORE, { ...AFTER, upgraded });
    expect({ status: found?.status, acceptable: found?.acceptable }).toEqual({ status, acceptable });
  });

  it.each`
    pending             | held       | status     | because
    ${[]}               | ${[]}      | ${'pass'}  | ${'nothing waits'}
    ${['vim']}          | ${['vim']} | ${'pass'}  | ${'it is held'}
    ${['vim', 'libc6']} | ${['vim']} | ${'block'} | ${'one that is not held waits'}
  `('of the packages without a guest is $status when $because', ({ pending, held, status }) => {
    const seen = now({ hasGuest: false, survey: null, packages: { pending, kernels: [] } });
    expect(judged('verify.packages', seen, BEFORE, { ...AFTER, held } as never)?.status).toBe(status);
  });

  it.each`
    installed    | pinned  | once    | rebooted | late     | status     | because
    ${new Map()} | ${null} | ${null} | ${true}  | ${false} | ${'pass'}  | ${'no kernel is installed'}
    ${both}      | ${null} | ${null} | ${true}  | ${false} | ${'block'} | ${'the old one was booted'}
    ${both}      | ${null} | ${null} | ${false} | ${false} | ${'warn'}  | ${'it was not rebooted'}
    ${both}      | ${null} | ${null} | ${true}  | ${true}  | ${'warn'}  | ${'the new one came after the boot'}
    ${both}      | ${OLD}  | ${null} | ${true}  | ${false} | ${'warn'}  | ${'the old one is pinned'}
    ${both}      | ${NEW}  | ${null} | ${true}  | ${false} | ${'block'} | ${'the new one is pinned, and the old one runs'}
    ${both}      | ${null} | ${OLD}  | ${true}  | ${false} | ${'warn'}  | ${'it was pinned for this boot'}
  `('of the kernel is $status when $because', ({ installed, pinned, once, rebooted, late, status }) => {
    const pin = (kernel: string | null) => kernel && { kernel, file: '/etc/kernel/proxmox-boot-pin' };
    const seen = now({ survey: survey({ installedPackages: installed, pinned: pin(pinned) as never }) });
    const found = verdict({ ...BEFORE, pinned: pin(once) as never }, seen, {
      ...AFTER,
      rebooted,
      olderKernel: late,
    }).find(({ id }) => id === 'verify.kernel');
    expect(found?.status).toBe(status);
    expect(found?.acceptable).toEqual(status === 'block' ? [`${OLD} runs, ${NEW} is installed`] : undefined);
    if (pinned === OLD) expect(found?.summary).toContain('pinned in /etc/kernel/proxmox-boot-pin');
  });

  it('has nothing to say of kernels that lie in a container, which runs that of its node', () => {
    const seen = now({
      hasGuest: false,
      survey: null,
      packages: { pending: [], kernels: [`proxmox-kernel-${NEW}`] },
    });
    expect(judged('verify.kernel', seen)?.status).toBe('pass');
  });

  it.each([
    'verify.mounts',
    'verify.units',
    'verify.packages',
    'verify.kernel',
  ])('of %s is a block that no one may accept when the guest does not answer', (id) => {
    const found = judged(id, now({ survey: null, surveyError: 'no agent' }));
    expect({ status: found?.status, acceptable: found?.acceptable }).toEqual({
      status: 'block',
      acceptable: undefined,
    });
  });

  it('asks no guest where the config names none', () => {
    const found = verdict(BEFORE, now({ survey: null, hasGuest: false }), AFTER);
    expect(found.map(({ id, status }) => `${id} ${status}`)).toEqual([
      'verify.datastores pass',
      'verify.mounts skip',
      'verify.services pass',
      'verify.packages pass',
      'verify.kernel pass',
    ]);
  });
});

describe('what a run expects', () => {
  const run = { upgrade: 'done', reboot: null, foreignBoot: null, changes: null } as const;
  it.each`
    state                                                            | expected
    ${run}                                                           | ${{ upgraded: true, rebooted: false, olderKernel: false, held: [] }}
    ${{ ...run, upgrade: 'failed' }}                                 | ${{ upgraded: false, rebooted: false, olderKernel: false, held: [] }}
    ${{ ...run, reboot: {}, foreignBoot: { owes: null } }}           | ${{ upgraded: true, rebooted: true, olderKernel: false, held: [] }}
    ${{ ...run, reboot: {}, foreignBoot: { owes: 'a new kernel' } }} | ${{ upgraded: true, rebooted: true, olderKernel: true, held: [] }}
    ${{ ...run, changes: { ...NO_PLAN, held: ['vim'] } }}            | ${{ upgraded: true, rebooted: false, olderKernel: false, held: ['vim'] }}
  `('$expected', ({ state, expected }) => {
    expect(expectationOf(state)).toEqual(expected);
  });
});

describe('a ZFS pool on which a datastore lies', () => {
  it.each`
    was           | is            | status    | summary
    ${'ONLINE'}   | ${'ONLINE'}   | ${'pass'} | ${''}
    ${'ONLINE'}   | ${'DEGRADED'} | ${'warn'} | ${'; pool tank was ONLINE and is DEGRADED'}
    ${'DEGRADED'} | ${'DEGRADED'} | ${'pass'} | ${''}
    ${'DEGRADED'} | ${'FAULTED'}  | ${'warn'} | ${'; pool tank was DEGRADED and is FAULTED'}
    ${'DEGRADED'} | ${'ONLINE'}   | ${'pass'} | ${''}
    ${undefined}  | ${'DEGRADED'} | ${'warn'} | ${'; pool tank is DEGRADED'}
  `('was $was and is $is: $status', ({ was, is, status, summary }) => {
    const before = { ...BEFORE, ...(was ? { pools: [{ name: 'tank', health: was }] } : {}) };
    const seen = now({ pools: [{ name: 'tank', health: is }] });
    const finding = verdict(before, seen, AFTER).find(({ id }) => id === 'verify.datastores');
    expect(finding).toMatchObject({
      status,
      summary: expect.stringMatching(new RegExp(`accessible${summary}$`)),
    });
  });
});
