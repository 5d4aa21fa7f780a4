import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import type { MachineSpec } from '../../src/lab/machine/spec.js';
import { pbsCtlJson } from '../support/in-process.js';
import { carrierTags, changeTool, eventsOf, fences, withScenario } from '../support/lab.js';

const SHORT = { reboot: 'never', stableFor: '0s' } as const;
const withMachine = (
  machine: MachineSpec,
  test: (lab: Lab, patch: Patch) => Promise<void>,
  policy: object = {},
) =>
  withScenario({ machine, policy: { ...SHORT, ...policy } }, (lab) =>
    test(lab, (...more) =>
      pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', lab.configPath, ...more]),
    ),
  );
type Patch = (...more: string[]) => Promise<{ code: number | null; document: RunDocument }>;

describe('packages that must stay', () => {
  it.concurrent('are not purged either: with APT::Get::Purge in the guest the run is postponed', ({
    expect,
  }) =>
    withMachine(
      { removes: ['proxmox-backup-server'], aptConf: 'APT::Get::Purge "true";\n' },
      async (lab, patch) => {
        // The option of the command line is ignored, so apt says "Purg".
        changeTool(lab, 'apt-get', 'APT::Get::Purge=false)', 'APT::Get::Nothing)');
        const { code, document } = await patch();
        expect({ code, outcome: document.outcome, fences: fences(lab) }).toEqual({
          code: 75,
          outcome: 'postponed',
          fences: [],
        });
        expect(document.error?.message).toContain('proxmox-backup-server');
        expect(eventsOf(lab, 'upgrade-started')).toEqual([]);
      },
    ));

  it.concurrent('what was removed is compared with the plan before the reboot: exit 1, no reboot, the fence stays, also the next time', ({
    expect,
  }) =>
    withMachine(
      {},
      async (lab, patch) => {
        changeTool(
          lab,
          'upgrade.mjs',
          "  status('pmstatus:dpkg-exec:0.0000:Running dpkg');",
          "  dropPackage('ifupdown2');",
        );
        const { code, document } = await patch();
        expect({ code, outcome: document.outcome, error: document.error?.code }).toEqual({
          code: 1,
          outcome: 'failed',
          error: 'upgrade.removed',
        });
        expect(document.error?.message).toContain('ifupdown2');
        expect(eventsOf(lab, 'reboot')).toEqual([]);
        expect(fences(lab).length).toBe(2);
        expect(carrierTags(lab)).toContain('pbs-ctl-lock');
        const again = await patch();
        expect(again.document.error?.code).toBe('upgrade.removed');
        expect(eventsOf(lab, 'reboot')).toEqual([]);
      },
      { reboot: 'always' },
    ));
});
