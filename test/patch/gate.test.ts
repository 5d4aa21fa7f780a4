import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import { start } from '../support/command.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, until, withLab } from '../support/lab.js';

/** Scenarios of the lab in which nothing blocks a run, one for each upgrade method. */
const METHODS = [
  { method: 'agent', scenario: 'healthy' },
  { method: 'service', scenario: 'upgrade-by-service' },
] as const;

const patch = ({ configPath }: Lab, ...more: string[]) =>
  pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', configPath, ...more]);

function setPolicy({ configPath }: Lab, policy: object): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8'));
  writeFileSync(configPath, JSON.stringify({ ...config, policy: { ...config.policy, ...policy } }));
}

/** Once, when the lab records an event of this kind, or a request that fits. */
function on(lab: Lab, what: string | RegExp, act: () => void): void {
  let done = false;
  lab.record.onEntry((entry) => {
    const fits =
      typeof what === 'string'
        ? 'kind' in entry && entry.kind === what && entry.host === 'pbs01'
        : 'method' in entry && what.test(`${entry.method} ${entry.path}`);
    if (!fits || done) return;
    done = true;
    act();
  });
}

function tagPatching(lab: Lab): void {
  const guest = lab.cluster.guests.get(101);
  if (guest) lab.cluster.storeTags(guest, ['prod', 'pve-patching']);
}

/** A backup that runs until the machine goes down, so that a drain waits for it. */
const beginBackup = (lab: Lab) =>
  lab.hosts
    .get('pbs01')
    ?.startTask({ type: 'backup', id: 'tank:vm/101', store: 'tank', access: 'write', seconds: null });
const beginRestore = (lab: Lab) =>
  lab.hosts
    .get('pbs01')
    ?.startTask({ type: 'reader', id: 'tank:vm/101', store: 'tank', access: 'read', seconds: null });

const localTime = (inSeconds: number) => new Date(Date.now() + inSeconds * 1000).toTimeString().slice(0, 5);
const addJob = (lab: Lab, inSeconds: number) =>
  lab.cluster.jobs.push({
    id: 'backup-late',
    schedule: localTime(inSeconds),
    enabled: true,
    storage: 'pbs01-tank',
    vmid: '101',
  });

/** What a run has left on the servers, and what it did to the host. */
const trace = (lab: Lab) => ({
  upgrades: eventsOf(lab, 'upgrade-started').length,
  reboots: eventsOf(lab, 'reboot').length,
  fences: fences(lab),
  tags: carrierTags(lab),
});
const UNDONE = { reboots: 0, fences: [], tags: 'pbs' };

/** Begins a run in a separate process and kills it (-9) during the upgrade. */
async function killedInUpgrade(lab: Lab): Promise<void> {
  const running = start(['patch', '--host', 'pbs01', '--config', lab.configPath]);
  await until('the upgrade', () => eventsOf(lab, 'upgrade-started').length > 0);
  running.kill('SIGKILL');
  await running.ended;
}

describe.for(METHODS)('PVE being patched, seen before the reboot ($method method)', ({ scenario }) => {
  it.concurrent('by a fresh run, when the tag is set during the upgrade, leaves the reboot pending', ({
    expect,
  }) =>
    withLab({ scenario }, async (lab) => {
      on(lab, 'upgrade-started', () => tagPatching(lab));
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, why: document.error }).toMatchObject({
        code: 75,
        outcome: 'reboot-pending',
        why: { code: 'reboot.no-longer-fits', message: expect.stringContaining('pve.patching: ') },
      });
      expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 1 });
    }));

  it.concurrent('by a run that attaches to its upgrade after a kill -9 does the same, as preflight blocks', ({
    expect,
  }) =>
    withLab({ scenario }, async (lab) => {
      await killedInUpgrade(lab);
      tagPatching(lab);
      expect((await pbsCtl(['preflight', '--host', 'pbs01', '--config', lab.configPath])).code).toBe(75);
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, resumed: document.resumed }).toEqual({
        code: 75,
        outcome: 'reboot-pending',
        resumed: true,
      });
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 1 });
    }));

  it.concurrent('by a run that is resumed once its upgrade has ended does the same', ({ expect }) =>
    withLab({ scenario }, async (lab) => {
      await killedInUpgrade(lab);
      await until('the end of the upgrade', () => eventsOf(lab, 'upgrade-finished').length > 0);
      tagPatching(lab);
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, resumed: document.resumed }).toEqual({
        code: 75,
        outcome: 'reboot-pending',
        resumed: true,
      });
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 1 });
    }));

  it.concurrent('is seen before the upgrade too, when the tag is set during the refresh', ({ expect }) =>
    withLab({ scenario }, async (lab) => {
      on(lab, /^POST .*\/apt\/update$/, () => tagPatching(lab));
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome }).toEqual({ code: 75, outcome: 'postponed' });
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 0 });
    }));
});

describe.for(METHODS)('a restore that begins during the refresh ($method method)', ({ scenario }) => {
  it.concurrent('is seen right before the upgrade, which does not begin under it', ({ expect }) =>
    withLab({ scenario }, async (lab) => {
      on(lab, /^POST .*\/apt\/update$/, () => beginRestore(lab));
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, phase: document.phase }).toEqual({
        code: 75,
        outcome: 'postponed',
        phase: 'upgrade',
      });
      expect(document.error?.message).toContain('pbs.tasks: restore of tank:vm/101 is running');
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 0 });
    }));
});

describe('a datastore that fails during the upgrade', () => {
  it.concurrent('holds back the fence: a person has to look', ({ expect }) =>
    withLab({}, async (lab) => {
      const host = lab.hosts.get('pbs01');
      on(lab, 'upgrade-started', () => {
        if (host) host.datastoresReady = false;
      });
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, behind: document.leftBehind }).toEqual({
        code: 1,
        outcome: 'failed',
        behind: { fenced: ['tank', 'vault'], locks: ['main'] },
      });
      expect(document.warnings).toContainEqual(expect.stringContaining('the fence stays: pbs.datastores: '));
      expect(eventsOf(lab, 'reboot')).toEqual([]);
    }));
});

describe('the drain counts as time', () => {
  const DRAINS = { drainTimeout: '20m', maintenanceDuration: '30s', backupMargin: '30s' };

  it.concurrent('at preflight: where something is there to drain, a job within drainTimeout blocks', ({
    expect,
  }) =>
    withLab({ scenario: 'backup-due-soon' }, async (lab) => {
      setPolicy(lab, DRAINS);
      // Nothing is there to drain: ten minutes are enough.
      expect((await patch(lab, '--check')).code).toBe(0);
      beginBackup(lab);
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, phase: document.phase }).toEqual({
        code: 75,
        outcome: 'postponed',
        phase: 'preflight',
      });
      expect(document.checks.find(({ id }) => id === 'pve.schedule')?.status).toBe('block');
      expect(eventsOf(lab, 'maintenance-set')).toEqual([]);
    }));

  it.concurrent('in each of its rounds: a job that comes to be due takes the fence down, before it runs', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      setPolicy(lab, DRAINS);
      beginBackup(lab);
      on(lab, 'maintenance-set', () => addJob(lab, 600));
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, phase: document.phase }).toEqual({
        code: 75,
        outcome: 'postponed',
        phase: 'drain',
      });
      expect(document.error?.message).toContain('pve.schedule: backup job backup-late starts at');
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 0 });
    }));

  it.concurrent('and so do tags: PVE being patched ends it, and nothing is upgraded', ({ expect }) =>
    withLab({}, async (lab) => {
      setPolicy(lab, DRAINS);
      beginBackup(lab);
      on(lab, 'maintenance-set', () => tagPatching(lab));
      const { code, document } = await patch(lab);
      expect({ code, outcome: document.outcome, phase: document.phase }).toEqual({
        code: 75,
        outcome: 'postponed',
        phase: 'drain',
      });
      expect(trace(lab)).toEqual({ ...UNDONE, upgrades: 0 });
    }));

  it.concurrent('ends when what it waited for has ended', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      setPolicy(lab, DRAINS);
      lab.hosts
        .get('pbs01')
        ?.startTask({ type: 'backup', id: 'tank:vm/101', store: 'tank', access: 'write', seconds: 100 });
      const { document } = await patch(lab);
      expect(document.outcome).toBe('patched');
      expect(eventsOf(lab, 'harmed')).toEqual([]);
    }));
});

describe('a cluster in the middle of its own upgrade', () => {
  const pve3 = (lab: Lab) => {
    const node = lab.cluster.nodes.get('pve3');
    if (!node) throw new Error('the lab has no pve3');
    return node;
  };
  const preflight = (lab: Lab) =>
    pbsCtlJson<{ checks: RunDocument['checks'] }>([
      ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
    ]);
  const patching = ({ document }: Awaited<ReturnType<typeof preflight>>) =>
    document.checks.find(({ id }) => id === 'pve.patching');

  it.concurrent('blocks while nodes differ in the major version, unless the policy says "warn"', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const manager = pve3(lab).packages.find(({ name }) => name === 'pve-manager');
      if (manager) manager.version = '7.4.19';
      const seen = await preflight(lab);
      expect(seen.code).toBe(75);
      expect(patching(seen)).toMatchObject({
        status: 'block',
        summary: expect.stringMatching(/^pve1, pve2 run pve-manager \S+, pve3 7\.4\.19: the cluster is/),
      });
      setPolicy(lab, { mixedVersions: 'warn' });
      const softened = await preflight(lab);
      expect({ code: softened.code, status: patching(softened)?.status }).toEqual({
        code: 0,
        status: 'warn',
      });
    }));

  it.concurrent('warns of a node that waits for its reboot, by name', ({ expect }) =>
    withLab({}, async (lab) => {
      const name = 'proxmox-kernel-7.1.4-2-pve-signed';
      pve3(lab).packages.push({ name, state: 'Installed', version: '7.1.4-2' });
      const seen = await preflight(lab);
      expect({ code: seen.code, ...patching(seen) }).toMatchObject({
        code: 0,
        status: 'warn',
        summary: expect.stringContaining('node pve3 waits for its reboot'),
      });
    }));
});
