import { describe, expect, it } from 'vitest';
import { compareKernels, installedKernels, kernelOf } from '../../src/guest/kernels.js';

describe('the package of a kernel image', () => {
  it.each`
    name                                     | release                   | because
    ${'proxmox-kernel-6.17.4-1-pve-signed'}  | ${'6.17.4-1-pve'}         | ${'it is signed'}
    ${'proxmox-kernel-6.17.4-1-pve'}         | ${'6.17.4-1-pve'}         | ${'it is not'}
    ${'pve-kernel-5.15.1-1-pve'}             | ${'5.15.1-1-pve'}         | ${'of PBS 2'}
    ${'linux-image-6.12.57+deb13-amd64'}     | ${'6.12.57+deb13-amd64'}  | ${'of Debian 13'}
    ${'linux-image-6.1.0-28-cloud-amd64'}    | ${'6.1.0-28-cloud-amd64'} | ${'of Debian 12, for clouds'}
    ${'linux-image-6.12.57+deb13-arm64'}     | ${'6.12.57+deb13-arm64'}  | ${'of another architecture'}
    ${'linux-image-6.1.0-28-amd64-unsigned'} | ${'6.1.0-28-amd64'}       | ${'Debian, not signed'}
    ${'linux-image-6.1.0-28-amd64-dbg'}      | ${null}                   | ${'symbols boot nothing'}
    ${'linux-image-amd64'}                   | ${null}                   | ${'it is a metapackage'}
    ${'proxmox-kernel-6.17'}                 | ${null}                   | ${'it is a metapackage'}
    ${'proxmox-kernel-helper'}               | ${null}                   | ${'it is a tool'}
  `('$name has the release $release: $because', ({ name, release }) => expect(kernelOf(name)).toBe(release));

  it.each([
    ['6.17.4-1-pve', '6.17.10-1-pve'],
    ['6.8.12-9-pve', '6.8.12-15-pve'],
    ['6.12.57+deb13-amd64', '6.12.63+deb13-amd64'],
    ['6.1.0-9-amd64', '6.1.0-28-amd64'],
  ])('%s is older than %s', (older, newer) => {
    expect(compareKernels(older, newer)).toBeLessThan(0);
    expect(installedKernels([`linux-image-${newer}`, `linux-image-${older}`])).toEqual([older, newer]);
  });
});
