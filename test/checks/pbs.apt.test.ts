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
  ])('judges %s', (_, given, status) => expect(judge(pbsApt, given).status).toBe(status));
});
