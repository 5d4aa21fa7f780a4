import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Diagnosis } from '../../src/recover/diagnose.js';
import type { ObservedHost } from '../../src/recover/observed.js';
import { start } from '../support/command.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, until, withLab, withScenario } from '../support/lab.js';
import { patchIn } from '../support/scenario.js';

type Answer = ObservedHost & {
  readonly diagnosis: Diagnosis;
  readonly done: string[];
  readonly error: { readonly code: string; readonly message: string } | null;
};
const args = (configPath: string, ...flags: string[]) => [
  'recover',
  '--host',
  'pbs01',
  '--config',
  configPath,
  ...flags,
];
const recover = (configPath: string, ...flags: string[]) => pbsCtlJson<Answer>(args(configPath, ...flags));
const patch = (configPath: string, ...more: string[]) =>
  pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', configPath, ...more]);
const flags = ({ steps }: Diagnosis) => steps.flatMap(({ flag }) => flag ?? []);

describe('recover', () => {
  it.concurrent('says of a healthy host that nothing is wrong, with the exact address of its console', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const { code, document } = await recover(lab.configPath);
      expect({ code, diagnosis: document.diagnosis }).toEqual({
        code: 0,
        diagnosis: { healthy: true, problem: 'Nothing is wrong with pbs01.', steps: [] },
      });
      expect(document.vm?.consoleUrl).toMatch(
        /^https:\/\/127\.0\.0\.1:\d+\/\?console=kvm&novnc=1&vmid=900&vmname=pbs01&node=pve1&resize=off$/,
      );
    }));

  it.concurrent('a datastore whose disk is missing: mounts it; the next patch ends the run and lifts the fence', ({
    expect,
  }) =>
    withLab({ scenario: 'mount-missing-after-reboot' }, async (lab) => {
      const run = await patchIn(lab, 'mount-missing-after-reboot', expect);
      const seen = await recover(lab.configPath);
      expect({ code: seen.code, problem: seen.document.diagnosis.problem }).toEqual({
        code: 1,
        problem: 'pbs01: tank: /mnt/datastore/tank is in fstab and not mounted.',
      });
      expect(flags(seen.document.diagnosis)).toEqual(['mount']);
      expect(seen.document.fences).toEqual([
        { datastore: 'tank', run: run.document.runId },
        { datastore: 'vault', run: run.document.runId },
      ]);
      expect(seen.document.runs).toMatchObject([{ run: run.document.runId, outcome: 'unverified' }]);
      const journal = seen.document.inside?.journal.flatMap(({ lines }) => lines).join('\n');
      expect(journal).toContain('Dependency failed for mnt-datastore-tank.mount');

      const mended = await recover(lab.configPath, '--mount');
      expect(mended.document.done).toEqual(['mounted /mnt/datastore/tank']);
      expect(mended.document.diagnosis.healthy).toBe(true);
      expect(mended.document.diagnosis.steps[0]?.command).toBe('pbs-ctl patch --host pbs01');
      const check = await patch(lab.configPath, '--check');
      expect(check.document.would).toContain(
        `continue run ${run.document.runId}, which stopped in phase "verify"`,
      );
      expect((await patch(lab.configPath)).code).toBe(0);
      expect({ fences: fences(lab), reboots: eventsOf(lab, 'reboot').length }).toEqual({
        fences: [],
        reboots: 1,
      });
    }));

  it.concurrent('lifts no fence and releases no lock while verification fails, and both by itself once the host is well again', ({
    expect,
  }) =>
    withLab({ scenario: 'mount-missing-after-reboot' }, async (lab) => {
      await patch(lab.configPath);
      for (const flag of ['--lift-fence', '--release-lock']) {
        const refused = await recover(lab.configPath, flag);
        expect({ code: refused.code, error: refused.document.error?.code }).toEqual({
          code: 1,
          error: 'recover.refused',
        });
      }
      expect({ fences: fences(lab).length, tags: carrierTags(lab) }).toMatchObject({ fences: 2 });
      expect(carrierTags(lab)).toContain('pbs-ctl-lock+pbs01+');

      const { code, document } = await recover(lab.configPath, '--mount', '--lift-fence', '--release-lock');
      expect({ code, diagnosis: document.diagnosis, tags: carrierTags(lab) }).toMatchObject({
        code: 0,
        diagnosis: { healthy: true, steps: [] },
        tags: 'pbs',
      });
      expect(fences(lab)).toEqual([]);
    }));

  it.concurrent('leaves the maintenance mode and the lock of others alone', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const [datastore] = lab.hosts.get('pbs01')?.datastores ?? [];
      if (datastore) datastore.maintenance = 'read-only,message=moving disks';
      const tags = carrierTags(lab);
      const { document } = await recover(lab.configPath, '--lift-fence', '--release-lock');
      expect(document.done).toEqual(['no fence of pbs-ctl is up', 'no lock of this host is held']);
      expect(document).toMatchObject({
        foreignModes: [{ datastore: 'tank', type: 'read-only', message: 'moving disks' }],
        foreignLocks: [{ cluster: 'main', owner: 'pve-patching' }],
      });
      expect({ tags: carrierTags(lab), fences: fences(lab) }).toEqual({
        tags,
        fences: ['tank: read-only,message=moving disks'],
      });
    }));

  it.concurrent('a service that is down: starts it again through the guest agent; fence and lock go before that where it is forced', ({
    expect,
  }) =>
    withLab({ scenario: 'service-fails' }, async (lab) => {
      await patchIn(lab, 'service-fails', expect);
      const seen = await recover(lab.configPath);
      expect(seen.document.diagnosis.problem).toBe('Not running on pbs01: chrony.');
      expect(flags(seen.document.diagnosis)).toContain('restart-services');
      const forced = await recover(lab.configPath, '--lift-fence', '--release-lock', '--force');
      expect(forced.document.done).toEqual(['lifted the fence on tank, vault', 'released the lock of main']);
      expect({ fences: fences(lab), tags: carrierTags(lab) }).toEqual({ fences: [], tags: 'pbs' });
      const report = await pbsCtlJson<RunDocument>(['report', 'last', '--config', lab.configPath]);
      expect(report.document.leftBehind).toEqual({ fenced: [], locks: [] });

      const mended = await recover(lab.configPath, '--restart-services');
      expect(mended.document.done).toEqual(['restarted chrony.service']);
      expect(mended.document.diagnosis.healthy).toBe(true);
    }));

  it.concurrent('a host that is unreachable: names the console, resets the VM only after a yes, and waits for it', ({
    expect,
  }) =>
    withLab({ scenario: 'never-comes-back' }, async (lab) => {
      await patchIn(lab, 'never-comes-back', expect);
      const seen = await recover(lab.configPath);
      expect(seen.document).toMatchObject({ proxy: 'silent', agent: 'silent', vm: { status: 'running' } });
      expect(seen.document.diagnosis.steps[0]?.command).toContain('console=kvm');
      expect(flags(seen.document.diagnosis)).toEqual(['reset-vm']);
      const forbidden = await recover(lab.configPath, '--reset-vm', '--yes');
      expect(forbidden.document.error).toMatchObject({ code: 'api.forbidden' });
      expect(forbidden.document.error?.message).toContain('VM.PowerMgmt on /vms/900');
      lab.cluster.access.grant('/vms/900', ['VM.PowerMgmt']);
      const asked = await pbsCtl(args(lab.configPath, '--reset-vm'));
      expect({ code: asked.code, resets: eventsOf(lab, 'reset').length }).toEqual({ code: 2, resets: 0 });
      const { code, document } = await recover(lab.configPath, '--reset-vm', '--yes');
      expect({ code, error: document.error, resets: eventsOf(lab, 'reset').length }).toEqual({
        code: 0,
        error: null,
        resets: 1,
      });
      expect(document.done[0]).toMatch(/^the VM was reset; it answered after /);
    }));

  it.concurrent('a VM that stays off: starts it; the next patch ends the run', ({ expect }) =>
    withLab({ scenario: 'stays-off' }, async (lab) => {
      await patchIn(lab, 'stays-off', expect);
      lab.cluster.access.grant('/vms/900', ['VM.PowerMgmt']);
      const seen = await recover(lab.configPath);
      expect(seen.document.diagnosis.problem).toBe('The VM of pbs01 (900 on pve1) is stopped.');
      expect(flags(seen.document.diagnosis)).toEqual(['start-vm']);
      expect((await recover(lab.configPath, '--reset-vm', '--yes')).document.error?.code).toBe(
        'recover.stopped',
      );
      const started = await recover(lab.configPath, '--start-vm');
      expect({ code: started.code, error: started.document.error }).toEqual({ code: 0, error: null });
      expect((await patch(lab.configPath)).document.outcome).toBe('patched');
    }));

  it.concurrent('an upgrade that still runs: says to wait, and refuses what would disturb it', ({ expect }) =>
    withLab({ scenario: 'upgrade-slow' }, async (lab) => {
      await patchIn(lab, 'upgrade-slow', expect);
      lab.cluster.access.grant('/vms/900', ['VM.PowerMgmt']);
      const { document } = await recover(lab.configPath, '--reset-vm', '--yes');
      expect(document.error?.code).toBe('recover.refused');
      expect(document.diagnosis.problem).toMatch(/^The upgrade of run \w+ still runs inside pbs01\.$/);
      expect(eventsOf(lab, 'reset')).toEqual([]);
    }));

  it.concurrent('may look while a run is at work, and changes nothing then', ({ expect }) =>
    withLab({}, async (lab) => {
      const running = start(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      await until('the fence to be up', () => fences(lab).length === 2);
      const refused = await recover(lab.configPath, '--lift-fence', '--force');
      expect({ code: refused.code, error: refused.document.error?.code }).toEqual({
        code: 75,
        error: 'state.busy',
      });
      const { document } = await recover(lab.configPath);
      expect(document.diagnosis.problem).toMatch(/^Another pbs-ctl \(process \d+\) works on pbs01 right now/);
      expect((await running.ended).code).toBe(0);
    }));

  it.concurrent('reads only, unless a flag is given', ({ expect }) =>
    withLab({}, async (lab) => {
      await recover(lab.configPath);
      const writes = lab.record.requests.filter(
        ({ method, path }) => method !== 'GET' && !path.endsWith('/agent/exec'),
      );
      expect(writes).toEqual([]);
    }));

  it.concurrent('packages that are half done: finishes them under a lock of its own, and releases that', ({
    expect,
  }) =>
    withLab({ scenario: 'dpkg-interrupted' }, async (lab) => {
      const seen = await recover(lab.configPath);
      expect(flags(seen.document.diagnosis)).toEqual(['repair-packages']);
      const { code, document } = await recover(lab.configPath, '--repair-packages');
      expect({ code, done: document.done, error: document.error }).toEqual({
        code: 0,
        done: ['the packages were repaired'],
        error: null,
      });
      expect(document.inside?.audit).toBe('');
      expect(carrierTags(lab)).toBe('pbs');
      const again = await recover(lab.configPath, '--repair-packages');
      expect(again.document.done).toEqual(['no package is half done']);
    }));

  it.concurrent('an upgrade that failed: repaired under the lock of the run, which keeps it and goes on', ({
    expect,
  }) =>
    withScenario(
      {
        machine: {
          upgrade: { fails: { package: 'postfix', how: 'postinst', times: 1 } },
          changes: [{ name: 'postfix', from: '3.10.5-1', to: '3.10.6-1' }],
        },
      },
      async (lab) => {
        const run = await patch(lab.configPath);
        expect(run.code).toBe(1);
        const before = carrierTags(lab).length;
        const { code, document } = await recover(lab.configPath, '--repair-packages');
        expect({ done: document.done, error: document.error, tags: carrierTags(lab).length }).toEqual({
          done: ['the packages were repaired'],
          error: null,
          tags: before,
        });
        expect(code).toBe(0);
        expect((await patch(lab.configPath)).code).toBe(0);
      },
    ));
});
