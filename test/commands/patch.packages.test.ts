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

describe('a plan that removes packages', () => {
  const digestOf = (document: RunDocument) => (document.planDigest ?? '').slice(0, 12);

  it.concurrent('needs approval: --check shows it and ends 0, patch is postponed, --plan carries it out', ({
    expect,
  }) =>
    withMachine({ removes: ['postfix'] }, async (lab, patch) => {
      const check = await patch('--check');
      expect({ code: check.code, approval: check.document.approval }).toEqual({
        code: 0,
        approval: ['removes postfix'],
      });
      expect(check.document.packages.removed).toMatchObject([{ name: 'postfix', by: 'upgrade' }]);
      const refused = await patch();
      expect({ code: refused.code, outcome: refused.document.outcome }).toEqual({
        code: 75,
        outcome: 'postponed',
      });
      expect(refused.document.checks.find(({ id }) => id === 'guest.packages')).toMatchObject({
        status: 'block',
        detail: { approval: ['removes postfix'] },
      });
      expect(eventsOf(lab, 'maintenance-set')).toEqual([]);
      const other = await patch('--plan', 'f'.repeat(8));
      expect({ code: other.code, error: other.document.error?.code }).toEqual({
        code: 75,
        error: 'plan.changed',
      });
      expect(eventsOf(lab, 'maintenance-set')).toEqual([]);
      const approved = await patch('--plan', digestOf(check.document));
      expect({ code: approved.code, outcome: approved.document.outcome }).toEqual({
        code: 0,
        outcome: 'patched',
      });
      expect(approved.document.packages.removed).toMatchObject([{ name: 'postfix', by: 'upgrade' }]);
    }));

  it.concurrent('needs none with policy.removals "allow"', ({ expect }) =>
    withMachine(
      { removes: ['postfix'] },
      async (_, patch) => expect((await patch()).document.outcome).toBe('patched'),
      { removals: 'allow' },
    ));

  it.concurrent.for([
    '12345',
    'f'.repeat(7),
    `${'f'.repeat(8)}x`,
    'abcdefgh',
  ])('is not approved by --plan %s: exit 2, nothing is contacted', (plan, { expect }) =>
    withMachine({}, async (lab, patch) => {
      expect((await patch('--plan', plan)).code).toBe(2);
      expect(lab.record.requests ?? []).toEqual([]);
    }));

  it.concurrent('covers autoremove, which takes nothing else', ({ expect }) =>
    withMachine(
      { autoremovable: ['postfix'], autoremovableOnceInstalled: ['proxmox-kernel-6.17.2-1-pve-signed'] },
      async (lab, patch) => {
        const check = await patch('--check');
        expect(check.document.packages.removed).toMatchObject([{ name: 'postfix', by: 'autoremove' }]);
        expect(check.document.approval).toEqual([]);
        const { document } = await patch('--plan', digestOf(check.document));
        expect(document).toMatchObject({ outcome: 'patched', packages: { removed: [{ name: 'postfix' }] } });
        expect(
          lab.hosts
            .get('pbs01')
            ?.machine.installedPackages()
            .map(({ name }) => name),
        ).not.toContain('postfix');
      },
    ));

  it.concurrent('that became another one between decision and upgrade is undone', ({ expect }) =>
    withMachine({}, async (lab, patch) => {
      // What systemd-run starts finds one package more.
      changeTool(
        lab,
        'systemd-run',
        '#!/bin/sh\n',
        '#!/bin/sh\nprintf "upgrade\\tzlib1g\\t1\\t2\\t-\\t10\\n" >>"$LAB_STATE/pending"\n',
      );
      const { code, document } = await patch();
      expect({ code, outcome: document.outcome, error: document.error?.code, fences: fences(lab) }).toEqual({
        code: 75,
        outcome: 'postponed',
        error: 'plan.changed',
        fences: [],
      });
      expect(eventsOf(lab, 'upgrade-started')).toEqual([]);
    }));
});

describe('never', () => {
  it.concurrent('a major release: --check ends 75 and names both releases', ({ expect }) =>
    withMachine(
      {
        changes: [
          {
            name: 'proxmox-backup-server',
            from: '3.4.6-1',
            to: '4.1.0-1',
            origin: 'Proxmox Backup Server:4.1/stable',
          },
        ],
      },
      async (lab, patch) => {
        for (const more of [['--check'], []]) {
          const { code, document } = await patch(...more);
          expect(code).toBe(75);
          expect(document.error?.message).toMatch(
            /3\.4\.6-1 -> 4\.1\.0-1.*Proxmox Backup Server:4\.1\/stable/,
          );
        }
        expect(eventsOf(lab, 'maintenance-set')).toEqual([]);
      },
    ));

  it.concurrent.for([
    ['the network', 'ifupdown2'],
    ['the kernel that runs', 'proxmox-kernel-6.17.2-1-pve-signed'],
    ['ssh', 'openssh-server'],
  ])('%s, also with removals "allow"', ([, removes], { expect }) =>
    withMachine(
      { removes: [removes ?? ''] },
      async (lab, patch) => {
        const { code, document } = await patch();
        expect(code).toBe(75);
        expect(document.error?.message).toContain(removes);
        expect(eventsOf(lab, 'maintenance-set')).toEqual([]);
      },
      { removals: 'allow' },
    ));
});
