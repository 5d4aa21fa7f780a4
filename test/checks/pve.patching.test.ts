import { describe, expect, it } from 'vitest';
import { pvePatching } from '../../src/checks/pve.patching.js';
import { judge, NOW } from './judge.js';

describe('pve.patching', () => {
  const node = (more: object = {}) => ({
    name: 'pve1',
    uptimeSeconds: 86_400,
    halfInstalled: [],
    version: '9.2.11',
    kernel: '6.17.4-1-pve',
    newestKernel: '6.17.4-1-pve',
    ...more,
  });
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
        nodes: [node()],
        nodeNow: NOW,
        ...more,
      },
    ],
  ];
  const task = (type: string, on = 'pve1') => ({ type, node: on, user: 'root@pam', endedAt: null });
  it.each([
    ['nothing speaks for it', seen(), 'pass'],
    ['a guest carries the tag', seen({ guests: [{ vmid: 101, tags: ['prod', 'pve-patching'] }] }), 'block'],
    ['a node names no packages at all', seen({ nodes: [node({ unknown: true })] }), 'block'],
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
    ['packages are half installed', seen({ nodes: [node({ halfInstalled: ['pve-manager'] })] }), 'block'],
    ['a node booted minutes ago', seen({ nodes: [node({ uptimeSeconds: 300 })] }), 'block'],
    ['a shell is open', seen({ tasks: [task('vncshell')] }), 'warn'],
    ['the daily apt update runs', seen({ tasks: [task('aptupdate')] }), 'pass'],
    ['a whole-node action hangs on a node that is away', seen({ tasks: [task('stopall', 'pve9')] }), 'pass'],
  ])('judges when %s', (_, given, status) => expect(judge(pvePatching, given).status).toBe(status));
  it('knows when a node that booted lately will count as settled', () =>
    expect(judge(pvePatching, seen({ nodes: [node({ uptimeSeconds: 300 })] })).retryAt).toBe(NOW + 600));

  it.each`
    versions                | policy     | status     | because
    ${['9.2.11', '9.2.11']} | ${'block'} | ${'pass'}  | ${'all nodes run one version'}
    ${['9.2.11', '9.2.9']}  | ${'block'} | ${'pass'}  | ${'a patch level differs between two updates of every cluster'}
    ${['9.2.11', '9.1.4']}  | ${'block'} | ${'warn'}  | ${'the minor version differs'}
    ${['9.2.11', '8.4.14']} | ${'block'} | ${'block'} | ${'the major version differs'}
    ${['9.2.11', '8.4.14']} | ${'warn'}  | ${'warn'}  | ${'the policy lets an upgrade in stages take weeks'}
  `('says $status for pve-manager $versions: $because', ({ versions, policy, status }) => {
    const nodes = (versions as string[]).map((version, index) => node({ name: `pve${index + 1}`, version }));
    expect(judge(pvePatching, seen({ nodes }), { mixedVersions: policy }).status).toBe(status);
  });

  it('names the versions and the nodes that run them', () => {
    const nodes = ['9.2.11', '9.2.11', '8.4.14'].map((version, index) =>
      node({ name: `pve${index + 1}`, version }),
    );
    expect(judge(pvePatching, seen({ nodes })).summary).toBe(
      'pve1, pve2 run pve-manager 9.2.11, pve3 8.4.14: the cluster is being upgraded',
    );
  });

  it('names a node that waits for its reboot', () => {
    const nodes = [node(), node({ name: 'pve3', newestKernel: '6.17.4-2-pve' })];
    expect(judge(pvePatching, seen({ nodes }))).toMatchObject({
      status: 'warn',
      summary: 'node pve3 waits for its reboot: it runs 6.17.4-1-pve, 6.17.4-2-pve is installed',
    });
  });
});
