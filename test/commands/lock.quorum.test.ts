import { describe, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, until, withLab } from '../support/lab.js';

const lock = ({ configPath }: Lab, verb: string, ...more: string[]) => [
  ...['lock', verb, '--config', configPath, '--cluster', 'main', '--owner', 'pve-patching'],
  ...more,
];

describe('a cluster without quorum', () => {
  it.concurrent.for([['acquire'], ['hold', '--', 'true']])('is a reason to try later: lock %j', ([
    verb = '',
    ...rest
  ], { expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.quorate = false;
      const { code, stdout, stderr } = await pbsCtl(lock(lab, verb, ...rest));
      expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
      expect(stderr).toMatch(/has no quorum and writes nothing/);
      expect(stderr).toMatch(/^ *pvecm status$/m);
    }));

  it.concurrent('is waited for with --wait', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.quorate = false;
      const waiting = pbsCtl(lock(lab, 'acquire', '--wait', '60s'));
      await until('a first try', () => lab.record.requests.some(({ method }) => method === 'PUT'));
      lab.cluster.quorate = true;
      expect((await waiting).code).toBe(0);
      expect(carrierTags(lab)).toContain('pbs-ctl-lock+pve-patching+');
    }));

  it.concurrent('keeps the lock, and the command that releases it is on a line of its own', ({ expect }) =>
    withLab({}, async (lab) => {
      const held = pbsCtl(lock(lab, 'hold', '--', 'sleep', '1'));
      await until('the lock', () => carrierTags(lab).includes('pve-patching'));
      lab.cluster.quorate = false;
      const { code, stderr } = await held;
      const run = /\+pve-patching\+(\w+)\+/.exec(carrierTags(lab))?.[1];
      expect(code).toBe(0);
      expect(stderr).toMatch(/Permission denied\. It stays until it is released:\n/);
      expect(stderr).toContain(`\npbs-ctl lock release --cluster main --owner pve-patching --run ${run}\n`);
    }));

  it.concurrent('blocks in doctor', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.quorate = false;
      const { code, document } = await pbsCtlJson<{ findings: Array<{ topic: string; status: string }> }>([
        'doctor',
        '--config',
        lab.configPath,
      ]);
      expect(code).toBe(1);
      expect(document.findings.filter(({ status }) => status === 'block')).toMatchObject([
        { subject: 'cluster main', topic: 'pve.quorum' },
      ]);
    }));
});

describe('a lock that cannot be read', () => {
  it.concurrent('is reported as not known by recover and status', ({ expect }) =>
    withLab({}, async (lab) => {
      const node = lab.cluster.nodes.get(lab.cluster.guests.get(900)?.node ?? '');
      if (!node) throw new Error('the lab has no such node');
      node.online = false;
      const recover = await pbsCtl(['recover', '--host', 'pbs01', '--config', lab.configPath]);
      expect(recover.stdout).toMatch(/^ *lock +main: not known/m);
      expect(recover.stdout).not.toContain('none of this host');
      expect(recover.stdout).not.toContain('address right');
      const status = await pbsCtlJson<{
        hosts: Array<{ lock: unknown; lockError: { code: string } | null }>;
      }>([...['status', '--host', 'pbs01', '--config', lab.configPath]]);
      expect(status.document.hosts).toMatchObject([
        { reachable: true, lock: null, lockError: { code: 'net.unreachable' } },
      ]);
    }));
});
