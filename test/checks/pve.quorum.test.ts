import { describe, expect, it } from 'vitest';
import { pveQuorum } from '../../src/checks/pve.quorum.js';
import { judge } from './judge.js';

describe('pve.quorum', () => {
  const seen = (quorate: boolean, offline: string[] = [], guestNode: string | null = 'pve1') => [
    [
      'main',
      {
        quorate,
        nodes: ['pve1', 'pve2', 'pve3'].map((name) => ({ name, online: !offline.includes(name) })),
        guestNode,
      },
    ],
  ];
  it.each([
    ['all is well', seen(true), {}, 'pass'],
    ['there is no quorum', seen(false), {}, 'block'],
    ['a node is offline', seen(true, ['pve3']), {}, 'block'],
    ['a node is offline and the policy minds little', seen(true, ['pve3']), { offlineNodes: 'warn' }, 'warn'],
    [
      'the node of the VM is offline, whatever the policy',
      seen(true, ['pve1']),
      { offlineNodes: 'warn' },
      'block',
    ],
    [
      'it counts a node that it does not name',
      [['main', { quorate: true, nodes: [{ name: 'pve1', online: true }], counted: 2, guestNode: 'pve1' }]],
      { offlineNodes: 'warn' },
      'block',
    ],
    ['the node of the VM is not among its nodes', seen(true, [], 'pve9'), { offlineNodes: 'warn' }, 'block'],
  ])('judges when %s', (_, given, policy, status) =>
    expect(judge(pveQuorum, given, policy).status).toBe(status));
});
