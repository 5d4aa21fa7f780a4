import { copyFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, fences, until, withScenario } from '../support/lab.js';

const patch = (configPath: string, ...more: string[]) =>
  pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', configPath, ...more]);
const QUICK = { rebootTimeout: '16s', stableFor: '1s', minRebootInterval: '0s' } as const;

describe('a run that is given up while a datastore is missing', () => {
  it.concurrent('leaves its fence, names the way to lift it, and the next run lifts it after verify', ({
    expect,
  }) =>
    withScenario(
      { policy: QUICK, machine: { boot: { losesMounts: ['/mnt/datastore/tank'] } } },
      async (lab) => {
        const run = await patch(lab.configPath);
        expect(run.code).toBe(3);
        const given = await patch(lab.configPath, '--abandon');
        expect({ code: given.code, ...given.document }).toMatchObject({
          code: 1,
          outcome: 'abandoned',
          runId: run.document.runId,
          leftBehind: { fenced: ['tank', 'vault'], locks: [] },
          warnings: expect.arrayContaining([
            expect.stringMatching(
              /the fence stays: .* does not pass verify[\s\S]*pbs-ctl recover --host pbs01 --lift-fence --force/,
            ),
          ]),
        });
        expect({ fences: fences(lab).length, tags: carrierTags(lab) }).toEqual({ fences: 2, tags: 'pbs' });
        const again = await patch(lab.configPath, '--abandon');
        expect({ code: again.code, left: again.document.leftBehind.fenced }).toEqual({
          code: 1,
          left: ['tank', 'vault'],
        });

        await pbsCtl(['recover', '--host', 'pbs01', '--mount', '--config', lab.configPath]);
        const next = await patch(lab.configPath, '--reboot', 'when-required');
        expect({ code: next.code, left: next.document.leftBehind, fences: fences(lab) }).toEqual({
          code: 0,
          left: { fenced: [], locks: [] },
          fences: [],
        });
        expect(next.document.runId).not.toBe(run.document.runId);
        const { document } = await pbsCtlJson<RunDocument>([
          'report',
          run.document.runId,
          '--config',
          lab.configPath,
        ]);
        expect(document.leftBehind.fenced).toEqual([]);
      },
    ));
});

describe('a VM that is rolled back to a snapshot during an unfinished run', () => {
  it.concurrent('closes that run, which left nothing in it, and the next run is a new one', ({ expect }) =>
    withScenario(
      { policy: QUICK, machine: { boot: { failsUnits: ['proxmox-backup.service'] } } },
      async (lab) => {
        const host = lab.hosts.get('pbs01');
        if (!host) throw new Error('the lab has no pbs01');
        const tables = ['packages', 'pending'].map((name) => ({
          now: join(host.machine.root, '.machine', name),
          saved: join(lab.dir, `snapshot-${name}`),
        }));
        for (const { now, saved } of tables) copyFileSync(now, saved);
        host.trouble = { service: { name: 'proxmox-backup', seconds: null } };
        const run = await patch(lab.configPath);
        expect(run.code).toBe(3);

        host.trouble = {};
        for (const { now, saved } of tables) copyFileSync(saved, now);
        for (const datastore of host.datastores) datastore.maintenance = null;
        const carrier = lab.cluster.guests.get(900);
        if (carrier) carrier.config.tags = 'pbs';
        const boots = eventsOf(lab, 'api-up').length;
        host.machine.reset();
        await until('the machine is up again', () => eventsOf(lab, 'api-up').length > boots);
        host.services.set('proxmox-backup', 'running');

        const closed = await patch(lab.configPath);
        expect({ code: closed.code, ...closed.document }).toMatchObject({
          code: 0,
          outcome: 'abandoned',
          runId: run.document.runId,
          leftBehind: { fenced: [], locks: [] },
          packages: { upgraded: [] },
          warnings: expect.arrayContaining([expect.stringMatching(/was rolled back to before run/)]),
        });
        const next = await patch(lab.configPath);
        expect(next.document.runId).not.toBe(run.document.runId);
        expect(next.document.packages.upgraded.length).toBeGreaterThan(0);
      },
    ));
});
