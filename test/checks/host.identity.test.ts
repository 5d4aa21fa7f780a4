import { describe, expect, it } from 'vitest';
import { hostIdentity } from '../../src/checks/host.identity.js';
import { parseConfig } from '../../src/config/load.js';
import { targetOf } from '../../src/config/target.js';
import { NOW } from './judge.js';

const print = (letter: string) => Array(32).fill(letter.repeat(2)).join(':');
const [OLD, NEW, OTHER] = [print('A'), print('B'), print('C')];

/** What is seen where all is well; the config pins OLD. */
const seen = { bootTime: NOW - 3600, told: OLD.toLowerCase(), pvePackages: [], node: null, pins: [] };
const guest = { certificate: OLD, bootTime: NOW - 3600.4, hasPbs: true, served: null };

function judged(more: object, inGuest: object | null = {}, fingerprints: string[] | null = [OLD]) {
  const config = parseConfig(
    JSON.stringify({
      clusters: {
        main: { endpoints: ['https://pve1:8006'], token: 'a@pve!b', secret: { env: 'X' }, tls: {} },
      },
      hosts: {
        pbs01: {
          endpoint: 'https://pbs01:8007',
          token: 'a@pbs!b',
          secret: { env: 'X' },
          tls: fingerprints ? { fingerprints } : {},
          guest: { cluster: 'main', vmid: 900 },
        },
      },
    }),
    'test',
  );
  return hostIdentity.judge({ ...seen, ...more, guest: inGuest && { ...guest, ...inGuest } }, {
    target: targetOf(config, 'pbs01'),
    now: NOW,
    ownRun: null,
  } as Parameters<typeof hostIdentity.judge>[1]);
}

describe('host.identity', () => {
  it.each([
    ['one machine', {}, {}, 'pass'],
    ['another certificate in the guest', {}, { certificate: OTHER }, 'block'],
    ['a clone, which has the certificate and another boot', {}, { bootTime: NOW - 90_000 }, 'block'],
    ['clocks that differ as far as maxClockSkew allows', {}, { bootTime: NOW - 3600 + 31 }, 'pass'],
    ['a second more', {}, { bootTime: NOW - 3600 + 32.5 }, 'block'],
    ['a guest without proxmox-backup-server', {}, { hasPbs: false }, 'block'],
    ['a guest without the file', {}, { certificate: null }, 'warn'],
    ['a PBS that reports no fingerprint', { told: null }, {}, 'warn'],
    ['a clone, where PBS reports no fingerprint', { told: null }, { bootTime: NOW }, 'block'],
    ['a PVE node in a VM', { pvePackages: ['pve-manager'] }, {}, 'block'],
    ['no guest', {}, null, 'pass'],
    ['no guest, and the address of a node', { node: 'pve1' }, null, 'block'],
  ] as const)('judges %s', (_, more, inGuest, status) => expect(judged(more, inGuest).status).toBe(status));

  describe('of a certificate that is renewed', () => {
    const renewed = { told: NEW };
    const pin = { cluster: 'main', storage: 'pbs01-tank', fingerprint: OLD.toLowerCase() };
    it.each([
      ['and not served yet', {}, { served: OLD }, [OLD], 'block'],
      ['and served already, behind a proxy', {}, { served: NEW }, [OLD], 'warn'],
      ['while nothing in the guest can tell what is served', {}, { served: null }, [OLD], 'warn'],
      ['and pinned beside the old one', {}, { served: OLD }, [OLD, NEW], 'pass'],
      ['and pinned, but not by a storage of PVE', { pins: [pin] }, { served: OLD }, [OLD, NEW], 'block'],
      ['of a public CA, but pinned by a storage of PVE', { pins: [pin] }, { served: OLD }, null, 'block'],
      ['of a public CA', {}, { served: OLD }, null, 'pass'],
    ] as const)('judges one %s', (_, more, inGuest, pinned, status) => {
      const judgement = judged(
        { ...renewed, ...more },
        { certificate: NEW, ...inGuest },
        pinned ? [...pinned] : null,
      );
      expect(judgement.status).toBe(status);
    });

    it('names the reload and what has to pin the new one first', () => {
      const { fixes = [] } = judged({ ...renewed, pins: [pin] }, { certificate: NEW, served: OLD });
      expect(fixes.map(({ where }) => where)).toEqual(['controller', 'pbs01', 'a node of main']);
      expect(fixes.flatMap(({ commands }) => commands).slice(1)).toEqual([
        'systemctl reload proxmox-backup-proxy.service',
        `pvesm set pbs01-tank --fingerprint ${NEW.toLowerCase()}`,
      ]);
    });
  });
});
