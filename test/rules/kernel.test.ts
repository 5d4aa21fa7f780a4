import { describe, expect, it } from 'vitest';
import { bootableWithoutGuest, kernelStanding } from '../../src/rules/kernel.js';

const OLD = '6.14.8-2-pve';
const NEW = '6.17.4-1-pve';
const pin = (kernel: string) => ({ kernel, file: '/etc/kernel/proxmox-boot-pin' });

describe('the kernel that runs', () => {
  it.each`
    running | installed     | pinned      | kind         | because
    ${NEW}  | ${[OLD, NEW]} | ${null}     | ${'current'} | ${'it is the newest'}
    ${NEW}  | ${[]}         | ${null}     | ${'current'} | ${'none is installed'}
    ${OLD}  | ${[NEW, OLD]} | ${null}     | ${'older'}   | ${'a newer one is installed'}
    ${OLD}  | ${[NEW, OLD]} | ${pin(OLD)} | ${'pinned'}  | ${'it is pinned'}
    ${OLD}  | ${[NEW, OLD]} | ${pin(NEW)} | ${'older'}   | ${'another one is pinned'}
  `('is $kind when $because', ({ running, installed, pinned, kind }) => {
    expect(kernelStanding({ running, installed, pinned }).kind).toBe(kind);
  });

  it.each`
    running                  | installed | bootable | because
    ${OLD}                   | ${[NEW]}  | ${[]}    | ${'a container runs the kernel of its node'}
    ${OLD}                   | ${[OLD]}  | ${[OLD]} | ${'it lies on this machine'}
    ${'6.12.43+deb13-amd64'} | ${[NEW]}  | ${[NEW]} | ${'a kernel of Debian is none of a PVE node'}
  `('counts $bootable as what this machine can boot, since $because', ({ running, installed, bootable }) => {
    expect(bootableWithoutGuest(running, installed)).toEqual(bootable);
  });
});
