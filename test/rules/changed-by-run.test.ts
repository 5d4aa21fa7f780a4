import { describe, expect, it } from 'vitest';
import type { PackageChanges } from '../../src/guest/apt.js';
import { changedBy, kernelRemark } from '../../src/rules/changed-by-run.js';

const changes = (more: Partial<PackageChanges> = {}): PackageChanges =>
  ({ upgraded: [], installed: [], removed: [], held: [], keptBack: [], ...more }) as PackageChanges;
const baseline = { state: { kernel: '6.17.2-1-pve' } };
const ask = (more: Partial<PackageChanges>) =>
  changedBy({ changes: changes(more), baseline } as Parameters<typeof changedBy>[0]);
const kernel = (version: string) => ({ name: `proxmox-kernel-${version}-signed`, to: '1' });

describe('what a run has changed', () => {
  it('is the first boot of a kernel that it installed, and the one that ran before', () => {
    const changed = ask({ installed: [kernel('6.17.4-1-pve')] as PackageChanges['installed'] });
    expect(changed.kernel).toEqual({ first: '6.17.4-1-pve', before: '6.17.2-1-pve' });
    expect(kernelRemark(changed)).toMatch(/6\.17\.2-1-pve ran before and is still installed/);
  });

  it('does not name one that it removed', () => {
    const changed = ask({
      installed: [kernel('6.17.4-1-pve')] as PackageChanges['installed'],
      removed: [{ ...kernel('6.17.2-1-pve'), from: '1', by: 'autoremove' }] as PackageChanges['removed'],
    });
    expect(changed.kernel).toEqual({ first: '6.17.4-1-pve', before: null });
  });

  it('is no kernel where none was installed', () => {
    const changed = ask({});
    expect([changed.kernel, kernelRemark(changed)]).toEqual([null, null]);
  });

  it('is what concerns boot and network, and where to look', () => {
    const upgraded = ['grub-efi-amd64', 'ifupdown2', 'vim'].map((name) => ({ name, from: '1', to: '2' }));
    expect(ask({ upgraded: upgraded as PackageChanges['upgraded'] }).packages).toEqual([
      'boot: grub-efi-amd64 1 -> 2; see /etc/default/grub and proxmox-boot-tool status',
      'network: ifupdown2 1 -> 2; see /etc/network/interfaces',
    ]);
  });
});
