import { describe, expect, it } from 'vitest';
import type { PveGuest, PveStorage } from '../../src/api/pve.js';
import { guestOf, nameFor, pbsOf } from '../../src/setup/find.js';

const storage = (name: string, server: string, more: Partial<PveStorage> = {}): PveStorage => ({
  storage: name,
  type: 'pbs',
  server,
  port: 8007,
  datastore: 'tank',
  fingerprint: null,
  disabled: false,
  nodes: null,
  ...more,
});
const guest = (vmid: number, name: string, type: PveGuest['type'] = 'qemu'): PveGuest => ({
  vmid,
  name,
  type,
  node: 'pve1',
  status: 'running',
  tags: [],
  lock: null,
});
const only = (...storages: PveStorage[]) => {
  const [pbs] = pbsOf(storages);
  if (!pbs) throw new Error('no PBS was found');
  return pbs;
};

describe('PBS hosts of a cluster', () => {
  it('are the servers of its storages of type pbs, one for all storages of a server', () => {
    const found = pbsOf([
      storage('a', '10.0.0.5'),
      storage('b', '10.0.0.5', { datastore: 'vault', fingerprint: 'ab:cd' }),
      storage('c', '10.0.0.5', { port: 443 }),
      storage('nfs', '10.0.0.6', { type: 'nfs' }),
    ]);
    expect(found.map(({ server, port, datastores }) => [server, port, datastores])).toEqual([
      ['10.0.0.5', 8007, ['tank', 'vault']],
      ['10.0.0.5', 443, ['tank']],
    ]);
    expect(found[0]?.fingerprint).toBe('AB:CD');
  });

  it.each`
    server                 | guests                                        | vmid    | because
    ${'10.0.0.5'}          | ${[guest(900, 'backup'), guest(901, 'pbs')]}  | ${900}  | ${'its agent names the address'}
    ${'pbs01.example.net'} | ${[guest(901, 'pbs01'), guest(902, 'web')]}   | ${901}  | ${'it has the name of the server'}
    ${'pbs01.example.net'} | ${[guest(901, 'pbs01'), guest(902, 'pbs01')]} | ${null} | ${'two have it'}
    ${'10.0.0.9'}          | ${[guest(903, 'store'), guest(904, 'sto')]}   | ${903}  | ${'the storage has its name before the dash'}
    ${'10.0.0.9'}          | ${[guest(905, 'store', 'lxc')]}               | ${null} | ${'a container is no VM'}
    ${'10.0.0.9'}          | ${[guest(906, 'web')]}                        | ${null} | ${'nothing tells'}
  `('at $server run in VM $vmid, since $because', ({ server, guests, vmid }) => {
    const addresses = new Map([[900, ['10.0.0.5', 'fd00::5']]]);
    expect(guestOf(only(storage('store-tank', server)), guests, addresses)?.guest.vmid ?? null).toBe(vmid);
  });

  it('are called as their VM, else as their server, else by number, and never like another', () => {
    const pbs = only(storage('s', 'pbs01.example.net'));
    const candidate = { guest: guest(900, 'Backup.example.net'), because: '' };
    expect(nameFor(pbs, candidate, [])).toBe('backup');
    expect(nameFor(pbs, candidate, ['backup'])).toBe('pbs01');
    expect(nameFor(pbs, null, ['pbs01'])).toBe('pbs02');
    expect(nameFor(only(storage('s', '10.0.0.5')), null, [])).toBe('pbs01');
  });
});
