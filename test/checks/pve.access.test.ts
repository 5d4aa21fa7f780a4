import { describe, expect, it } from 'vitest';
import { majorFor, pveAccess } from '../../src/checks/pve.access.js';
import type { PveAnswers } from '../../src/host/answer-cache.js';
import { judge } from './judge.js';

describe('what the PVE token needs', () => {
  const pve = (carrier: string | null) =>
    ({
      version: async () => ({ version: '9.2', major: 9 }),
      findGuest: async () => ({ vmid: 900, node: 'pve3' }),
      nodeStatus: async (node: string) => {
        if (carrier === null) throw new Error('no answer');
        return { version: node === 'pve3' ? carrier : '9.2.11' };
      },
    }) as unknown as PveAnswers;

  it('follows the version of the node that carries the VM, not of the one that answers', async () =>
    expect(await majorFor(pve('8.4.14'), 900)).toBe(8));
  it.each([
    ['that node does not tell its version', pve(null), 900],
    ['the cluster has no VM of a host', pve('8.4.14'), null],
  ])('follows the node that answers where %s', async (_, answers, vmid) =>
    expect(await majorFor(answers, vmid)).toBe(9));
});

describe('pve.access', () => {
  it.each([
    ['lists every node of the cluster', [], 'pass'],
    ['leaves a node out, whose guests and tags are hidden then', ['pve2'], 'block'],
  ])('judges a list of resources that %s', (_, hidden, status) => {
    const seen = [['main', { missing: [], asked: 7, token: 'a@pve!b', major: 9, hidden }]];
    expect(judge(pveAccess, seen)).toMatchObject({ status });
  });
});
