import { describe, expect, it } from 'vitest';
import type { PveStorage } from '../../src/api/pve.js';
import { whoseStorage } from '../../src/schedule/whose-storage.js';

const own = {
  places: new Set(['pbs01 8007', '10.0.0.5 8007', 'backup.example.net 443', 'backup.example.net 8007']),
  fingerprints: new Set(['aa']),
  complete: true,
};
const others = [
  { host: 'pbs02', places: new Set(['pbs02 8007', '10.0.0.6 8007']), fingerprints: new Set(['bb']) },
];
const storage = (more: Partial<PveStorage>): PveStorage =>
  ({ storage: 's', type: 'pbs', server: null, port: 8007, fingerprint: null, ...more }) as PveStorage;

describe('a storage of PVE', () => {
  it.each([
    ['our address', { server: '10.0.0.5' }, [], 'here'],
    ['our name, in another spelling', { server: 'PBS01.' }, [], 'here'],
    ['a name that resolves to our address', { server: 'tape.example.net' }, ['10.0.0.5'], 'here'],
    ['our fingerprint under a name that is not known', { server: 'x', fingerprint: 'AA' }, [], 'here'],
    ['our address at another port', { server: '10.0.0.5', port: 8443 }, [], 'unknown'],
    ['our address and another fingerprint', { server: '10.0.0.5', fingerprint: 'cc' }, [], 'unknown'],
    ['the address of another host', { server: '10.0.0.6' }, [], 'another-host'],
    ['the fingerprint of another host', { server: 'x', fingerprint: 'BB' }, [], 'another-host'],
    ['a fingerprint that is none of ours', { server: 'x', fingerprint: 'cc' }, [], 'elsewhere'],
    ['a name that resolves to another address', { server: 'x' }, ['10.0.0.9'], 'unknown'],
    ['a name that resolves to the address of another host', { server: 'x' }, ['10.0.0.6'], 'unknown'],
    ['a name that does not resolve', { server: 'x' }, [], 'unknown'],
    ['an address that is none of ours', { server: '10.0.0.9' }, [], 'unknown'],
    ['another type', { type: 'nfs', server: '10.0.0.5' }, [], 'elsewhere'],
  ] as const)('with %s', (_, more, addresses, is) =>
    expect(whoseStorage(storage(more), addresses, own, others).is).toBe(is));

  it('with another fingerprint is unknown where it is not known what this host serves', () =>
    expect(
      whoseStorage(storage({ server: 'x', fingerprint: 'cc' }), [], { ...own, complete: false }, others).is,
    ).toBe('unknown'));
});
