import { describe, it } from 'vitest';
import type { Diagnosis } from '../../src/recover/diagnosis.js';
import type { Sight } from '../../src/recover/sight.js';
import { pbsCtl, pbsCtlJson } from '../support/command.js';
import { eventsOf, fences, until, withLab } from '../support/lab.js';

type Answer = Sight & { readonly diagnosis: Diagnosis; readonly done: string[] };
const recover = (configPath: string, ...flags: string[]) =>
  pbsCtlJson<Answer>(['recover', '--host', 'pbs01', '--config', configPath, ...flags]);
const patch = (configPath: string) => pbsCtl(['patch', '--host', 'pbs01', '--config', configPath]);
const flags = ({ steps }: Diagnosis) => steps.flatMap(({ flag }) => flag ?? []);

describe('recover', () => {
  it.concurrent('says of a healthy host that nothing is wrong', ({ expect }) =>
    withLab({}, async (lab) => {
      const { code, document } = await recover(lab.configPath);
      expect({ code, healthy: document.diagnosis.healthy, steps: document.diagnosis.steps }).toEqual({
        code: 0,
        healthy: true,
        steps: [],
      });
      expect(document.vm?.consoleUrl).toMatch(/\/\?console=kvm&novnc=1&vmid=900&node=pve1/);
    }));

  it.concurrent('a datastore whose disk is missing: mounts it; the next patch ends the run and lifts the fence', ({
    expect,
  }) =>
    withLab({ scenario: 'mount-missing-after-reboot' }, async (lab) => {
      expect((await patch(lab.configPath)).code).toBe(3);
      const seen = await recover(lab.configPath);
      expect(seen.code).toBe(1);
      expect(seen.document.diagnosis.problem).toContain('/mnt/datastore/tank');
      expect(flags(seen.document.diagnosis)).toContain('mount');
      const refused = await pbsCtl([
        'recover',
        '--host',
        'pbs01',
        '--lift-fence',
        '--config',
        lab.configPath,
      ]);
      expect({ code: refused.code, fences: fences(lab).length }).toEqual({ code: 1, fences: 2 });

      const mended = await recover(lab.configPath, '--mount');
      expect(mended.document.done).toEqual(['mounted: /mnt/datastore/tank']);
      expect(mended.document.diagnosis.healthy).toBe(true);
      expect(mended.document.diagnosis.steps[0]?.command).toBe('pbs-ctl patch --host pbs01');
      expect((await patch(lab.configPath)).code).toBe(0);
      expect({ fences: fences(lab), reboots: eventsOf(lab, 'reboot').length }).toEqual({
        fences: [],
        reboots: 1,
      });
    }));

  it.concurrent('a service that is down: starts it again', ({ expect }) =>
    withLab({ scenario: 'service-fails' }, async (lab) => {
      expect((await patch(lab.configPath)).code).toBe(3);
      const seen = await recover(lab.configPath);
      expect(seen.document.diagnosis.problem).toContain('chrony');
      expect(flags(seen.document.diagnosis)).toContain('restart-services');
      lab.hosts.get('pbs01')?.access.grant('/system/services/chrony', ['Sys.Modify', 'Sys.Audit']);
      const mended = await recover(lab.configPath, '--restart-services');
      expect(mended.document.diagnosis.healthy).toBe(true);
    }));

  it.concurrent('a host that is unreachable: names the console, resets the VM only after a yes', ({
    expect,
  }) =>
    withLab({ scenario: 'never-comes-back' }, async (lab) => {
      expect((await patch(lab.configPath)).code).toBe(1);
      const seen = await recover(lab.configPath);
      expect(seen.document).toMatchObject({ proxy: 'silent', agent: 'silent', vm: { status: 'running' } });
      expect(seen.document.diagnosis.steps[0]?.command).toContain('console=kvm');
      expect(flags(seen.document.diagnosis)).toContain('reset-vm');
      lab.cluster.access.grant('/vms/900', ['VM.PowerMgmt']);
      const asked = await pbsCtl(['recover', '--host', 'pbs01', '--reset-vm', '--config', lab.configPath]);
      expect({ code: asked.code, resets: eventsOf(lab, 'reset').length }).toEqual({ code: 2, resets: 0 });
      await recover(lab.configPath, '--reset-vm', '--yes');
      expect(eventsOf(lab, 'reset')).toHaveLength(1);
      await until('the VM to be back', () => lab.hosts.get('pbs01')?.machine.phase === 'up');
    }));

  it.concurrent('reads only, unless a flag is given', ({ expect }) =>
    withLab({}, async (lab) => {
      await recover(lab.configPath);
      const writes = lab.record.requests.filter(
        ({ method, path }) => method !== 'GET' && !path.endsWith('/agent/exec'),
      );
      expect(writes).toEqual([]);
    }));
});
