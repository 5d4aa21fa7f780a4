import { describe, expect, it } from 'vitest';
import { GuestConfig, NodeStatus } from '../../src/api/pve-answers.js';

describe('answers of PVE', () => {
  it.each`
    agent                         | enabled
    ${'1'}                        | ${true}
    ${1}                          | ${true}
    ${'enabled=1'}                | ${true}
    ${'enabled=true'}             | ${true}
    ${'on,fstrim_cloned_disks=1'} | ${true}
    ${'enabled=Yes'}              | ${true}
    ${'0'}                        | ${false}
    ${'enabled=off'}              | ${false}
    ${'no,type=virtio'}           | ${false}
    ${undefined}                  | ${false}
  `('the option "agent: $agent" is on: $enabled, as PVE parses it', ({ agent, enabled }) =>
    expect(GuestConfig.parse({ digest: 'a', agent }).agentEnabled).toBe(enabled),
  );

  const status = { uptime: 60, pveversion: 'pve-manager/8.0.3/bbf3993334bfa916' };
  it('the kernel of a node is told in two ways, the older one as text', () => {
    const kernel = '6.2.16-3-pve';
    const read = (more: object) => NodeStatus.parse({ ...status, ...more });
    expect(read({ kversion: `Linux ${kernel} #1 SMP PREEMPT_DYNAMIC` })).toEqual({
      uptimeSeconds: 60,
      kernel,
      version: '8.0.3',
    });
    expect(read({ 'current-kernel': { release: kernel } }).kernel).toBe(kernel);
    expect(NodeStatus.safeParse(status).success).toBe(false);
  });
});
