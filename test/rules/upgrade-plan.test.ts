import { describe, expect, it } from 'vitest';
import { NO_CHANGES, type PackageChanges } from '../../src/guest/apt.js';
import {
  approvalsFor,
  isRestOf,
  lostPackages,
  protectedOn,
  refusalOf,
} from '../../src/rules/upgrade-plan.js';

const removed = (...names: string[]) => ({
  removed: names.map((name) => ({ name, from: '1', by: 'upgrade' as const })),
});
const upgraded = (name: string, from: string, to: string, origin?: string): PackageChanges => ({
  ...NO_CHANGES,
  upgraded: [{ name, from, to, ...(origin ? { origin } : {}) }],
});
const isProtected = protectedOn({ protectedPackages: ['ours-*'] }, ['nfs-common']);

describe('a protected package', () => {
  it.each([
    'proxmox-backup-server',
    'proxmox-backup-client',
    'qemu-guest-agent',
    'proxmox-default-kernel',
    'grub-efi-amd64',
    'ifupdown2',
    'zfsutils-linux',
    'openssh-server',
    'systemd',
    'nfs-common',
    'ours-thing',
    'systemd:amd64',
  ])('%s is refused', (name) =>
    expect(refusalOf({ ...NO_CHANGES, ...removed(name) }, isProtected)?.message).toContain(name));
  it.each(['proxmox-kernel-6.8', 'systemd-timesyncd', 'cifs-utils', 'ours'])('%s may go', (name) =>
    expect(refusalOf({ ...NO_CHANGES, ...removed(name) }, isProtected)).toBeNull());
});

describe('a major release', () => {
  it.each([
    ['proxmox-backup-server', '3.4.6-1', '4.1.0-1', true],
    ['base-files', '12.4+deb12u12', '13.8', true],
    ['base-files', '12.4+deb12u11', '12.4+deb12u12', false],
    ['proxmox-backup-server', '4.0.9-1', '4.1.0-1', false],
    ['libc6', '2.36-9', '3.0-1', false],
  ])('%s %s -> %s: %s', (name, from, to, refused) =>
    expect(refusalOf(upgraded(name, from, to), isProtected) !== null).toBe(refused));

  it('is named with both releases and the repository that brings it', () =>
    expect(
      refusalOf(
        upgraded('proxmox-backup-server', '3.4.6-1', '4.1.0-1', 'Proxmox Backup Server:4.1/stable'),
        isProtected,
      )?.message,
    ).toMatch(/3\.4\.6-1 -> 4\.1\.0-1.*Proxmox Backup Server:4\.1\/stable/));
});

describe('approval', () => {
  const plan = {
    removed: [
      { name: 'a', from: '1', by: 'upgrade' as const },
      { name: 'b', from: '1', by: 'autoremove' as const },
    ],
  };
  it('is needed for what the upgrade removes, not for autoremove', () =>
    expect(approvalsFor(plan, { removals: 'approved' })).toEqual(['removes a']));
  it('is not needed with removals "allow"', () =>
    expect(approvalsFor(plan, { removals: 'allow' })).toEqual([]));
  it('holds for what is left of the plan, and not for anything new', () => {
    const whole = { ...upgraded('x', '1', '2'), ...plan };
    expect(isRestOf({ ...NO_CHANGES, ...removed('a') }, whole)).toBe(true);
    expect(isRestOf({ ...upgraded('x', '1', '2') }, whole)).toBe(true);
    expect(isRestOf({ ...upgraded('x', '1', '3') }, whole)).toBe(false);
    expect(isRestOf({ ...NO_CHANGES, ...removed('c') }, whole)).toBe(false);
  });
});

it.each([
  ['what the plan named may go', removed('a'), removed('a'), []],
  ['what no plan named may not', removed('a', 'b'), removed('b'), ['a (not in the plan)']],
  ['nothing may go where there was no plan', removed('a'), null, ['a (not in the plan)']],
  ['a protected package may not', removed('systemd'), removed('systemd'), ['systemd (protected)']],
])('afterwards: %s', (_, changes, planned, lost) =>
  expect(lostPackages(changes, planned, isProtected)).toEqual(lost));
