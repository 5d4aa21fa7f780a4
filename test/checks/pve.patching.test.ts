import { describe, expect, it } from 'vitest';
import { pvePatching } from '../../src/checks/pve.patching.js';
import { judge, NOW } from './judge.js';

describe('pve.patching', () => {
  const seen = (more: object = {}) => [
    [
      'main',
      {
        blockingTags: ['pve-patching'],
        guests: [],
        registered: [],
        tasks: [],
        online: ['pve1'],
        ha: { nodeRequest: {}, nodeStatus: {}, lrm: {}, armed: null },
        packages: [['pve1', []]],
        uptimes: [['pve1', 86_400]],
        nodeNow: NOW,
        ...more,
      },
    ],
  ];
  const task = (type: string, node = 'pve1') => ({ type, node, user: 'root@pam', endedAt: null });
  it.each([
    ['nothing speaks for it', seen(), 'pass'],
    ['a guest carries the tag', seen({ guests: [{ vmid: 101, tags: ['prod', 'pve-patching'] }] }), 'block'],
    ['the tag is registered', seen({ registered: ['PVE-Patching'] }), 'block'],
    [
      'a node is in HA maintenance',
      seen({ ha: { nodeRequest: { pve2: { maintenance: true } }, nodeStatus: {}, lrm: {}, armed: null } }),
      'block',
    ],
    [
      'an LRM stops',
      seen({
        ha: {
          nodeRequest: {},
          nodeStatus: {},
          lrm: { pve1: { mode: 'shutdown', timestamp: NOW - 5 } },
          armed: null,
        },
      }),
      'block',
    ],
    [
      'an LRM stopped long ago',
      seen({
        ha: {
          nodeRequest: {},
          nodeStatus: {},
          lrm: { pve1: { mode: 'restart', timestamp: NOW - 500 } },
          armed: null,
        },
      }),
      'pass',
    ],
    ['all guests of a node are being moved', seen({ tasks: [task('migrateall')] }), 'block'],
    ['packages are half installed', seen({ packages: [['pve1', ['pve-manager']]] }), 'block'],
    ['a node booted minutes ago', seen({ uptimes: [['pve1', 300]] }), 'block'],
    ['a shell is open', seen({ tasks: [task('vncshell')] }), 'warn'],
    ['the daily apt update runs', seen({ tasks: [task('aptupdate')] }), 'pass'],
    ['a whole-node action hangs on a node that is away', seen({ tasks: [task('stopall', 'pve9')] }), 'pass'],
  ])('judges when %s', (_, given, status) => expect(judge(pvePatching, given).status).toBe(status));
  it('knows when a node that booted lately will count as settled', () =>
    expect(judge(pvePatching, seen({ uptimes: [['pve1', 300]] })).retryAt).toBe(NOW + 600));
});
