import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, withLab } from '../support/lab.js';

const patch = (configPath: string) =>
  pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', configPath]);

describe('regressions that chaos and crash trials found', () => {
  it.concurrent('an empty answer while the lock is read back leaves no lock behind', ({ expect }) =>
    withLab({}, async (lab) => {
      let written = false;
      let broken = false;
      lab.setWeather(({ method, path }) => {
        if (!path.endsWith('/qemu/900/config')) return null;
        if (method === 'PUT') written = true;
        if (method !== 'GET' || !written || broken) return null;
        broken = true;
        return { kind: 'answered-instead', reply: { status: 200, body: '' } };
      });
      const { document } = await patch(lab.configPath);
      expect(broken).toBe(true);
      expect(document.outcome).not.toBe('patched');
      expect({ tags: carrierTags(lab), behind: document.leftBehind }).toEqual({
        tags: 'pbs',
        behind: { fenced: [], locks: [] },
      });
    }));

  it.concurrent('an empty answer while the lock is released does not leave it behind', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      let lifted = false;
      let broken = false;
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-cleared') lifted = true;
      });
      lab.setWeather(({ method, path }) => {
        if (!lifted || broken || method !== 'GET' || !path.endsWith('/qemu/900/config')) return null;
        broken = true;
        return { kind: 'answered-instead', reply: { status: 200, body: '' } };
      });
      const { document } = await patch(lab.configPath);
      expect({ broken, outcome: document.outcome, tags: carrierTags(lab) }).toEqual({
        broken: true,
        outcome: 'patched',
        tags: 'pbs',
      });
    }));
});

describe('a run goes on', () => {
  it.concurrent('when the PVE node it talks to goes away for good', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-set') lab.cluster.servers[0]?.goDark('refuse');
      });
      const { code, document } = await patch(lab.configPath);
      expect({ code, outcome: document.outcome }).toEqual({ code: 0, outcome: 'patched' });
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent('when the VM moves to another node in the middle of the upgrade', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.record.onEntry((entry) => {
        const guest = lab.cluster.guests.get(900);
        if (guest && 'kind' in entry && entry.kind === 'upgrade-started') guest.node = 'pve2';
      });
      const { code, document } = await patch(lab.configPath);
      expect({ code, outcome: document.outcome }).toEqual({ code: 0, outcome: 'patched' });
    }));
});

describe('a host that comes back with another certificate', () => {
  it.concurrent('stays fenced and locked, and the error shows the new fingerprint', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const host = lab.hosts.get('pbs01');
      host?.machine.on('going-down', () => host.server.forgetCertificate());
      const { code, document } = await patch(lab.configPath);
      expect({ code, outcome: document.outcome, why: document.error?.code }).toEqual({
        code: 1,
        outcome: 'failed',
        why: 'net.untrusted',
      });
      expect(document.error?.message).toContain(host?.server.fingerprint);
      expect(document.leftBehind).toEqual({ fenced: ['tank', 'vault'], locks: ['main'] });
      expect(fences(lab)).toHaveLength(2);
      expect(eventsOf(lab, 'reboot')).toHaveLength(1);
    }));
});

describe('an upgrade that is refused at its start', () => {
  it.concurrent('undoes lock and fence, since nothing was begun', ({ expect }) =>
    withLab({}, async (lab) => {
      let commands = 0;
      lab.setWeather(({ method, path }) => {
        if (method !== 'POST' || !path.endsWith('/agent/exec')) return null;
        commands += 1;
        // The first two look at the guest, before the lock and under it.
        const words = 'Agent error: Command guest-exec has been disabled: the command is not allowed';
        return commands === 3
          ? { kind: 'answered-instead', reply: { status: 500, reason: words, body: '' } }
          : null;
      });
      const { code, document } = await patch(lab.configPath);
      expect({ code, outcome: document.outcome, why: document.error?.code }).toEqual({
        code: 1,
        outcome: 'failed',
        why: 'agent.blocked',
      });
      expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
      expect({
        tags: carrierTags(lab),
        fences: fences(lab),
        started: eventsOf(lab, 'upgrade-started'),
      }).toEqual({
        tags: 'pbs',
        fences: [],
        started: [],
      });
    }));
});

describe('a state directory that was wiped', () => {
  it.concurrent('does not lead to a second reboot within minRebootInterval', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const { rmSync } = await import('node:fs');
      expect((await patch(lab.configPath)).document.outcome).toBe('patched');
      rmSync(`${lab.dir}/state`, { recursive: true });
      const { document } = await patch(lab.configPath);
      expect(document.outcome).toBe('postponed');
      expect(eventsOf(lab, 'reboot')).toHaveLength(1);
    }));
});

describe('a run that must not reboot after all', () => {
  it.concurrent('since its lock was taken away during the upgrade, undoes its fence and leaves the reboot pending', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const guest = lab.cluster.guests.get(900);
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'upgrade-started' && guest)
          lab.cluster.storeTags(guest, ['pbs']);
      });
      const { code, document } = await patch(lab.configPath);
      expect({ code, outcome: document.outcome, why: document.error?.code }).toEqual({
        code: 75,
        outcome: 'reboot-pending',
        why: 'lock.lost',
      });
      expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
      expect({ fences: fences(lab), reboots: eventsOf(lab, 'reboot') }).toEqual({ fences: [], reboots: [] });
      const next = await patch(lab.configPath);
      expect({ outcome: next.document.outcome, reboots: eventsOf(lab, 'reboot').length }).toEqual({
        outcome: 'patched',
        reboots: 1,
      });
    }));

  it.concurrent('since it booted a while ago, says when it may', ({ expect }) =>
    withLab({}, async (lab) => {
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      const policy = { ...config.policy, reboot: 'after-upgrade', minRebootInterval: '60d' };
      writeFileSync(lab.configPath, JSON.stringify({ ...config, policy }));
      const { document } = await patch(lab.configPath);
      expect({ outcome: document.outcome, why: document.error?.code }).toEqual({
        outcome: 'reboot-pending',
        why: 'reboot.too-soon',
      });
      expect(Date.parse(document.retryAfter ?? '')).toBeGreaterThan(Date.now());
    }));
});
