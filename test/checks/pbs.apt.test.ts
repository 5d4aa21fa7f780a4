import { describe, expect, it } from 'vitest';
import { pbsApt } from '../../src/checks/pbs.apt.js';
import { judge } from './judge.js';

const repository = (uri: string, ...components: string[]) => ({ path: '/etc/apt/x', uri, components });

describe('pbs.apt', () => {
  const seen = (more: object = {}) => ({
    errors: [],
    warnings: [],
    standard: [{ handle: 'enterprise', enabled: true }],
    enabled: [],
    ...more,
  });
  it.each([
    ['clean repositories', seen(), 'pass'],
    ['a file that cannot be parsed', seen({ errors: [{ path: '/etc/apt/x', error: 'bad' }] }), 'block'],
    [
      'no Proxmox repository',
      seen({
        standard: [{ handle: 'enterprise', enabled: null }],
        enabled: [repository('http://deb.example', 'main')],
      }),
      'block',
    ],
    [
      'a mirror of the Proxmox repository',
      seen({ standard: [], enabled: [repository('https://mirror.example/pbs', 'pbs-no-subscription')] }),
      'pass',
    ],
    ['a warning', seen({ warnings: ['old suite'] }), 'warn'],
    [
      'files that apt ignores',
      seen({ errors: [{ path: '/etc/apt/sources.list.d/c.list.old', error: 'invalid extension' }] }),
      'warn',
    ],
  ])('judges %s', (_, given, status) => expect(judge(pbsApt, given).status).toBe(status));

  it.each([
    ['http://download.proxmox.com/debian/pve', 'pve-no-subscription', 'block'],
    ['http://download.proxmox.com/debian/ceph-squid', 'no-subscription', 'block'],
    ['http://download.proxmox.com/debian/pbs-client', 'main', 'block'],
    ['https://apt.corp.example/pve', 'pve-enterprise', 'block'],
    ['http://download.proxmox.com/debian/pbs', 'pbs-test', 'warn'],
    ['https://mirror.example/pbs_trixie', 'main', 'pass'],
    ['https://apt.corp.example/proxmox', 'main', 'pass'],
  ])('of nothing but %s %s says %s', (uri, component, status) =>
    expect(judge(pbsApt, seen({ standard: [], enabled: [repository(uri, component)] })).status).toBe(status));

  it('names the repositories that are there where none has proxmox-backup-server', () => {
    const debian = repository('http://deb.debian.org/debian', 'main');
    const pve = repository('http://download.proxmox.com/debian/pve', 'pve-no-subscription');
    expect(judge(pbsApt, seen({ standard: [], enabled: [debian, pve] })).summary).toBe(
      'no enabled repository has proxmox-backup-server; enabled: http://download.proxmox.com/debian/pve pve-no-subscription',
    );
  });

  it('reports a warning once that stands at several lines of a file', () => {
    const old = "/etc/apt/sources.list.d/debian.sources: old suite 'bookworm' configured!";
    expect(judge(pbsApt, seen({ warnings: [old, old, old] })).summary).toBe(old);
  });

  it('blocks for a broken file beside ones that apt ignores, and names only the broken one', () => {
    const ignored = { path: '/etc/apt/sources.list.d/README', error: 'invalid extension' };
    const broken = { path: '/etc/apt/sources.list.d/bad.list', error: 'unable to parse' };
    expect(judge(pbsApt, seen({ errors: [ignored, broken] }))).toMatchObject({
      status: 'block',
      summary: '/etc/apt/sources.list.d/bad.list: unable to parse',
    });
  });
});
