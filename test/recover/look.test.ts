import { describe, expect, it } from 'vitest';
import { consoleUrl } from '../../src/recover/look.js';

describe('the address of the console', () => {
  it.each`
    name          | display      | query
    ${'pbs01'}    | ${null}      | ${'console=kvm&novnc=1&vmid=900&vmname=pbs01&node=pve1&resize=off'}
    ${'pbs 01&x'} | ${'std'}     | ${'console=kvm&novnc=1&vmid=900&vmname=pbs%2001%26x&node=pve1&resize=off'}
    ${null}       | ${'serial0'} | ${'console=kvm&xtermjs=1&vmid=900&node=pve1&resize=off'}
  `('of VM "$name" with display $display', ({ name, display, query }) => {
    const url = consoleUrl('https://pve1:8006', { vmid: 900, node: 'pve1', name, config: { display } });
    expect(url).toBe(`https://pve1:8006/?${query}`);
  });
});
