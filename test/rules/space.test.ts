import { describe, expect, it } from 'vitest';
import type { Space } from '../../src/guest/space.js';
import { roomFor } from '../../src/rules/space.js';

const MIB = 1024 ** 2;
const SPACE: Space = {
  places: [
    { folder: '/', target: '/', available: 9000 * MIB },
    { folder: '/boot', target: '/boot', available: 90 * MIB },
    { folder: '/boot/efi', target: '/boot/efi', available: 20 * MIB },
    { folder: '/usr', target: '/', available: 9000 * MIB },
    { folder: '/var/lib/dpkg', target: '/var', available: 100 * MIB },
    { folder: '/var/cache/apt/archives', target: '/var', available: 100 * MIB },
  ],
  kernel: 80 * MIB,
  kernelsOnEsp: false,
  unmountedEsps: [],
  download: 50 * MIB,
  growth: 600 * MIB,
};
const LIBRARY = { name: 'libssl3t64', to: '2' };
const kernel = (name: string) => ({ name, to: '1' });
const PVE = kernel('proxmox-kernel-6.17.4-1-pve-signed');

describe('what an upgrade needs', () => {
  const needs = (installed: Array<{ name: string; to: string }>, space: Partial<Space> = {}, root = 0) =>
    Object.fromEntries(
      roomFor({ upgraded: [], installed }, { ...SPACE, ...space }, root).map(({ target, needed }) => [
        target,
        needed / MIB,
      ]),
    );

  it('is nothing where nothing is installed', () => expect(needs([])).toEqual({}));
  it('is downloads and databases on /var, and what is unpacked on /usr', () =>
    expect(needs([LIBRARY])).toEqual({ '/': 664, '/var': 114 }));
  it('is at least what the policy wants free on /', () =>
    expect(needs([LIBRARY], {}, 2048 * MIB)['/']).toBe(2048));
  it('of a kernel is as much in /boot as the largest one there with its initrd', () => {
    expect(needs([PVE])).toMatchObject({ '/boot': 80, '/boot/efi': 8 });
    expect(needs([kernel('linux-image-6.12.63+deb13-amd64')])['/boot']).toBe(80);
    expect(needs([PVE, kernel('proxmox-kernel-6.14.1-1-pve')])['/boot']).toBe(160);
  });
  it('of a kernel on an EFI system partition that holds kernels is the same', () =>
    expect(needs([PVE], { kernelsOnEsp: true })['/boot/efi']).toBe(80));
  it('of a first kernel is assumed', () => expect(needs([PVE], { kernel: 0 })['/boot']).toBe(128));
  it('adds up where everything is one file system', () => {
    const places = [{ folder: '/', target: '/', available: 9000 * MIB }];
    expect(needs([PVE], { places })).toEqual({ '/': 50 + 64 + 664 + 80 });
  });
  it('is four times the download where apt does not say how much it unpacks', () =>
    expect(needs([LIBRARY], { growth: null })['/']).toBe(264));
});
