import { describe, expect, it } from 'vitest';
import { guestPackages } from '../../src/checks/guest.packages.js';
import { judge } from './judge.js';

describe('guest.packages', () => {
  const plan = {
    upgraded: [{ name: 'a', from: '1', to: '2' }],
    installed: [],
    removed: [] as object[],
    held: [],
    keptBack: [] as string[],
  };
  const seen = (more: object = {}) => ({
    audit: '',
    aptLocks: [],
    plan,
    simulationError: null,
    autoremove: [],
    carriers: [],
    whyKeptBack: new Map(),
    pinned: null,
    listsAsOf: null,
    ...more,
  });
  it.each([
    ['all is whole', seen(), {}, 'pass'],
    ['a package is held', seen({ plan: { ...plan, held: ['x'], keptBack: [] } }), {}, 'warn'],
    [
      'something else is removed',
      seen({ plan: { ...plan, removed: [{ name: 'old', from: '1', by: 'upgrade' }] } }),
      {},
      'block',
    ],
    [
      'something else is removed and removals are allowed',
      seen({ plan: { ...plan, removed: [{ name: 'old', from: '1', by: 'upgrade' }] } }),
      { removals: 'allow' },
      'warn',
    ],
    [
      'autoremove takes something',
      seen({ autoremove: [{ name: 'old', from: '1', by: 'autoremove' }] }),
      {},
      'pass',
    ],
    [
      'autoremove would take a protected package, which stays',
      seen({ autoremove: [{ name: 'nfs-common', from: '1', by: 'autoremove' }], carriers: ['nfs-common'] }),
      {},
      'warn',
    ],
    ['apt keeps back a package', seen({ plan: { ...plan, keptBack: ['x'] } }), {}, 'warn'],
    ['apt keeps back PBS', seen({ plan: { ...plan, keptBack: ['proxmox-backup-server'] } }), {}, 'block'],
    ['PBS is held', seen({ plan: { ...plan, held: ['proxmox-backup-server'] } }), {}, 'warn'],
    [
      'it would be another major release',
      seen({ plan: { ...plan, upgraded: [{ name: 'base-files', from: '12.4', to: '13.8' }] } }),
      {},
      'block',
    ],
    [
      'PBS would be removed',
      seen({ plan: { ...plan, removed: [{ name: 'proxmox-backup-server', from: '1', by: 'upgrade' }] } }),
      {},
      'block',
    ],
    ['dpkg was interrupted', seen({ audit: 'half configured' }), {}, 'block'],
    [
      'dpkg was interrupted and may be mended',
      seen({ audit: 'half configured' }),
      { repairDpkg: true },
      'warn',
    ],
    [
      'another process holds the lock of apt',
      seen({ aptLocks: [{ file: '/var/lib/dpkg/lock', pid: 7 }] }),
      {},
      'block',
    ],
    ['apt cannot simulate', seen({ plan: null, simulationError: 'E: Unmet dependencies' }), {}, 'block'],
    ['the config names no guest', null, {}, 'skip'],
  ])('judges when %s', (_, given, policy, status) =>
    expect(judge(guestPackages, given, policy).status).toBe(status));

  it.each([
    ['the plan, which only an upgrade needs', seen({ plan: null, simulationError: 'E: Unmet' }), 'pass'],
    ['dpkg that another user runs', seen({ aptLocks: [{ file: '/var/lib/dpkg/lock', pid: 7 }] }), 'block'],
    ['packages that are half configured', seen({ audit: 'half configured' }), 'block'],
  ])('before the reboot judges %s', (_, given, status) =>
    expect(judge(guestPackages, given, { repairDpkg: true }, { round: 'reboot' }).status).toBe(status));

  it.each`
    listsAsOf        | words
    ${1_763_953_920} | ${'1 to upgrade, 0 to install, 0 to remove; lists of 2025-11-24 03:12 UTC'}
    ${null}          | ${'1 to upgrade, 0 to install, 0 to remove; how old the package lists are is not known'}
  `('says with its numbers "$words"', ({ listsAsOf, words }) => {
    expect(judge(guestPackages, seen({ listsAsOf })).summary).toBe(words);
  });

  it('warns of a pinned kernel, before the upgrade', () => {
    const pinned = { kernel: '6.14.8-2-pve', file: '/etc/kernel/proxmox-boot-pin' };
    expect(judge(guestPackages, seen({ pinned }))).toMatchObject({
      status: 'warn',
      summary: expect.stringContaining('kernel 6.14.8-2-pve is pinned in /etc/kernel/proxmox-boot-pin'),
    });
  });

  it('names why a package is kept back', () => {
    const given = seen({
      plan: { ...plan, keptBack: ['x'] },
      whyKeptBack: new Map([['x', 'Depends: nowhere but it is not installable']]),
    });
    expect(judge(guestPackages, given).summary).toContain(
      'kept back by apt: x (Depends: nowhere but it is not installable)',
    );
  });
});
