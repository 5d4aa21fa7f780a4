import { describe, expect, it } from 'vitest';
import { pbsApt } from '../../src/checks/pbs.apt.js';
import { judge } from './judge.js';

describe('pbs.apt', () => {
  const seen = (more: object = {}) => ({
    errors: [],
    warnings: [],
    standard: [{ handle: 'enterprise', enabled: true }],
    enabledUris: [],
    ...more,
  });
  it.each([
    ['clean repositories', seen(), 'pass'],
    ['a file that cannot be parsed', seen({ errors: [{ path: '/etc/apt/x', error: 'bad' }] }), 'block'],
    [
      'no Proxmox repository',
      seen({
        standard: [{ handle: 'enterprise', enabled: null }],
        enabledUris: ['http://deb.example trixie main'],
      }),
      'block',
    ],
    [
      'a mirror of the Proxmox repository',
      seen({ standard: [], enabledUris: ['https://mirror.example/pbs trixie pbs-no-subscription'] }),
      'pass',
    ],
    ['a warning', seen({ warnings: ['old suite'] }), 'warn'],
    [
      'files that apt ignores',
      seen({ errors: [{ path: '/etc/apt/sources.list.d/c.list.old', error: 'invalid extension' }] }),
      'warn',
    ],
  ])('judges %s', (_, given, status) => expect(judge(pbsApt, given).status).toBe(status));

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
