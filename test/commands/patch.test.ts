import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import * as aProcess from '../support/command.js';
import { pbsCtl, pbsCtlJson, start } from '../support/in-process.js';
import { carrierTags, eventsOf, everythingIn, fences, systemOf, until, withLab } from '../support/lab.js';
import { patchIn } from '../support/scenario.js';

const patchArgs = (configPath: string, ...more: string[]) => [
  'patch',
  '--host',
  'pbs01',
  '--config',
  configPath,
  ...more,
];
const OWN_LOCK = /(^|;)pbs-ctl-lock\+pbs01\+[a-z0-9]{6}\+\d+(;|$)/;

describe('patch on a healthy host', () => {
  it.concurrent('holds lock and fence through upgrade and reboot, and lifts both afterwards', ({ expect }) =>
    withLab({}, async (lab) => {
      const seen = new Map<string, { tags: string; fences: string[] }>();
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.host === 'pbs01')
          seen.set(entry.kind, { tags: carrierTags(lab), fences: fences(lab) });
      });
      const before = systemOf(lab);
      const { document } = await patchIn(lab, 'healthy', expect, aProcess.pbsCtlJson);
      const after = systemOf(lab);

      expect(after.version).not.toBe(before.version);
      expect(after.kernel).not.toBe(before.kernel);
      expect(document).toMatchObject({
        schemaVersion: 1,
        host: 'pbs01',
        mode: 'patch',
        outcome: 'patched',
        phase: 'report',
        resumed: false,
        before,
        after,
        reboot: { count: 1 },
        leftBehind: { fenced: [], locks: [] },
        postponements: { count: 0, since: null },
        warnings: [],
        error: null,
      });
      const during = seen.get('reboot');
      expect(during?.tags).toMatch(OWN_LOCK);
      expect(during?.fences).toEqual([
        expect.stringMatching(new RegExp(`^tank: read-only,message="?pbs-ctl run ${document.runId}`)),
        expect.stringMatching(new RegExp(`^vault: read-only,message="?pbs-ctl run ${document.runId}`)),
      ]);
      expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual({ tags: 'pbs', fences: [] });
      const reboot = document.reboot;
      expect(Date.parse(reboot?.requestedAt ?? '')).toBeLessThanOrEqual(Date.parse(reboot?.upAt ?? ''));
      const journal = everythingIn(`${lab.dir}/state/runs/${document.runId}`);
      expect(journal).toContain('Setting up proxmox-backup-server');
    }));

  it.concurrent('tells every phase on stderr and a readable report on stdout, and leaves alone what others have set', ({
    expect,
  }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      lab.cluster.tagStyle = { caseSensitive: true, keepsOrder: true };
      const guest = lab.cluster.guests.get(900);
      if (guest) guest.config.tags = 'zeta;pbs;Alpha';
      const vault = lab.hosts.get('pbs01')?.datastores.find(({ name }) => name === 'vault');
      if (vault) vault.maintenance = 'read-only,message=audit';

      const { code, stdout, stderr } = await pbsCtl(patchArgs(lab.configPath));
      expect(code).toBe(0);
      const phases = 'preflight lock recheck fence drain refresh upgrade reboot wait verify unfence unlock';
      for (const phase of phases.split(' ')) expect(stderr).toMatch(new RegExp(`pbs01 ${phase}: done`));
      expect(stdout).toMatch(/^pbs01: patched\n/);
      for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
      expect(stdout).not.toContain('\u001b');

      // Other tags of the guest, in their order and case; a read-only mode that another user set.
      expect(carrierTags(lab)).toBe('zeta;pbs;Alpha');
      expect(vault?.maintenance).toBe('read-only,message=audit');
      const last = await pbsCtlJson<RunDocument>(['report', 'last', '--config', lab.configPath]);
      expect(last.document.checks.find(({ id }) => id === 'pbs.datastores')?.status).toBe('warn');
    }));
});

describe('patch --check', () => {
  it.concurrent('prints the plan, says that it is safe, and changes nothing; --plan demands the plan, --reboot overrides the policy', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const { code, document } = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath, '--check'));
      expect(code).toBe(0);
      expect(document).toMatchObject({ mode: 'check', outcome: 'checked', reboot: null });
      expect(document.packages.upgraded.map(({ name }) => name)).toContain('proxmox-backup-server');
      expect(document.planDigest).toMatch(/^[0-9a-f]{64}$/);
      expect(document.would).toEqual([
        'take the lock of main',
        'set tank, vault read-only',
        'refresh the package lists',
        'upgrade the packages above',
        'reboot once (policy.reboot "always")',
        'verify, lift the fence, release the lock',
      ]);
      // No refresh has been seen yet.
      expect(document.updatesAsOf).toBeNull();
      // Before the nightly backup job.
      expect(Date.parse(document.safeUntil ?? '')).toBeGreaterThan(Date.parse(document.finishedAt));
      const writes = lab.record.requests.filter(
        ({ method, path }) => method !== 'GET' && !/\/agent\/(ping|exec)$/.test(path),
      );
      expect(writes).toEqual([]);

      const wrong = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath, '--plan', 'f'.repeat(64)));
      expect({ code: wrong.code, outcome: wrong.document.outcome, why: wrong.document.error?.code }).toEqual({
        code: 75,
        outcome: 'postponed',
        why: 'plan.changed',
      });
      expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual({ tags: 'pbs', fences: [] });

      const digest = document.planDigest ?? '';
      const right = await pbsCtlJson<RunDocument>(
        patchArgs(lab.configPath, '--plan', digest, '--reboot', 'never'),
      );
      expect(right.document).toMatchObject({ outcome: 'patched', reboot: null });
      expect(right.document.packages.upgraded.length).toBeGreaterThan(0);
      expect(eventsOf(lab, 'reboot')).toEqual([]);
    }));

  it.concurrent('is postponed like the run would be', ({ expect }) =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      const { code, document } = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath, '--check'));
      expect({ code, outcome: document.outcome }).toEqual({ code: 75, outcome: 'postponed' });
      // What waits is told all the same.
      expect(document.packages.upgraded.length).toBeGreaterThan(0);
      expect(document.planDigest).toMatch(/^[0-9a-f]{64}$/);
    }));
});

describe('patch of several hosts', () => {
  it.concurrent('takes one after another and answers with one document of runs', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const { code, document } = await pbsCtlJson<{ runs: RunDocument[] }>([
        'patch',
        '--all',
        '--config',
        lab.configPath,
      ]);
      expect(document.runs.map(({ host, outcome }) => [host, outcome])).toEqual([
        ['pbs01', 'patched'],
        ['pbs02', 'patched'],
      ]);
      expect(code).toBe(0);
      expect(eventsOf(lab, 'reboot', 'pbs01')).toHaveLength(1);
      expect(eventsOf(lab, 'reboot', 'pbs02')).toHaveLength(1);
    }));

  it.concurrent('goes on after a postponement, stops after a failure', ({ expect }) =>
    withLab({ scenario: 'upgrade-fails' }, async (lab) => {
      const { code, document } = await pbsCtlJson<{ runs: RunDocument[] }>([
        'patch',
        '--all',
        '--config',
        lab.configPath,
      ]);
      expect(document.runs.map(({ host, outcome }) => [host, outcome])).toEqual([['pbs01', 'failed']]);
      expect(code).toBe(1);
      expect(eventsOf(lab, 'reboot', 'pbs02')).toEqual([]);
    }));
});

describe('a signal', () => {
  it.concurrent('before the upgrade undoes lock and fence, and ends 130', ({ expect }) =>
    withLab({}, async (lab) => {
      const running = start(patchArgs(lab.configPath, '--json'));
      await until('a fence', () => fences(lab).length > 0);
      running.kill('SIGTERM');
      const { code, stdout } = await running.ended;
      const document = JSON.parse(stdout) as RunDocument;
      expect({ code, outcome: document.outcome }).toEqual({ code: 130, outcome: 'interrupted' });
      expect(document.leftBehind).toEqual({ fenced: [], locks: [] });
      expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual({ tags: 'pbs', fences: [] });
    }));

  it.concurrent('once the reboot is requested goes on through verify and unfence, with the exit code of the run', ({
    expect,
  }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const running = start(patchArgs(lab.configPath));
      await until('the reboot', () => eventsOf(lab, 'reboot').length > 0);
      running.kill('SIGHUP');
      const { code, stderr } = await running.ended;
      expect(stderr).toMatch(/SIGHUP: pbs01 reboots and is verified\. It is waited for/);
      expect({ code, tags: carrierTags(lab), fences: fences(lab) }).toEqual({
        code: 0,
        tags: 'pbs',
        fences: [],
      });
    }));

  it.concurrent('during the upgrade waits for dpkg and ends 130: no reboot, fence and lock stay, until the next patch goes on', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const running = start(patchArgs(lab.configPath));
      await until('the upgrade', () => eventsOf(lab, 'upgrade-started').length > 0);
      running.kill('SIGTERM');
      const { code, stdout, stderr } = await running.ended;
      expect(code).toBe(130);
      expect(stderr).toMatch(/SIGTERM: the upgrade runs\. It is waited for, [\dms ]+ at most/);
      expect(stdout).toMatch(/backups to tank, vault are refused until the next patch/);
      expect(eventsOf(lab, 'upgrade-finished')).toHaveLength(1);
      expect(eventsOf(lab, 'reboot')).toEqual([]);
      expect(fences(lab)).toHaveLength(2);
      expect(carrierTags(lab)).toContain('pbs-ctl-lock+');

      const again = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath));
      expect({ code: again.code, outcome: again.document.outcome }).toEqual({ code: 0, outcome: 'patched' });
      expect(fences(lab)).toEqual([]);
    }));

  it.concurrent('given twice, to a process of its own, leaves the upgrade alone, and the next patch continues it', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const running = aProcess.start(patchArgs(lab.configPath, '--json'));
      await until('the upgrade', () => eventsOf(lab, 'upgrade-started').length > 0);
      running.kill('SIGINT');
      await running.says('SIGINT: the upgrade runs');
      running.kill('SIGINT');
      const { code, stdout } = await running.ended;
      const first = JSON.parse(stdout) as RunDocument;
      expect({ code, outcome: first.outcome }).toEqual({ code: 130, outcome: 'interrupted' });
      expect(first.leftBehind).toEqual({ fenced: ['tank', 'vault'], locks: ['main'] });

      const again = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath));
      expect(again.document).toMatchObject({ runId: first.runId, resumed: true, outcome: 'patched' });
      expect(eventsOf(lab, 'reboot')).toHaveLength(1);
      expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual({ tags: 'pbs', fences: [] });
    }));
});

describe('a run that was killed', () => {
  it.concurrent('during the reboot is continued without a second one', ({ expect }) =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const running = aProcess.start(patchArgs(lab.configPath));
      await until('the reboot', () => eventsOf(lab, 'reboot').length > 0);
      running.kill('SIGKILL');
      await running.ended;
      const { code, document } = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath));
      expect({ code, outcome: document.outcome }).toEqual({ code: 0, outcome: 'patched' });
      expect(eventsOf(lab, 'reboot')).toHaveLength(1);
    }));

  it.concurrent('is given up with --abandon: the lock is released, the fence stays while packages are half done', ({
    expect,
  }) =>
    withLab({ scenario: 'upgrade-fails' }, async (lab) => {
      const failed = await patchIn(lab, 'upgrade-fails', expect);
      expect(failed.document.leftBehind).toEqual({ fenced: ['tank', 'vault'], locks: ['main'] });
      // What was changed before it failed is told, and what is half installed is not removed.
      expect(failed.document.packages.upgraded.length).toBeGreaterThan(0);
      expect(failed.document.packages.removed).toEqual([]);
      const { code, document } = await pbsCtlJson<RunDocument>(patchArgs(lab.configPath, '--abandon'));
      expect({ code, outcome: document.outcome, runId: document.runId }).toEqual({
        code: 1,
        outcome: 'abandoned',
        runId: failed.document.runId,
      });
      expect({ tags: carrierTags(lab), fences: fences(lab).length }).toEqual({ tags: 'pbs', fences: 2 });
      expect(eventsOf(lab, 'reboot')).toEqual([]);
    }));
});
