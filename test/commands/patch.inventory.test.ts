import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import { nightly } from '../../src/lab/pbs/contents.js';
import { PbsError } from '../../src/lab/pbs/server.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { eventsOf, fences, withLab } from '../support/lab.js';

// What is compared is in test/checks/compare-contents.test.ts, fault by fault; here it is part of a run.

const patch = (lab: Lab) => pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', '--config', lab.configPath]);
const pbs01 = (lab: Lab) => lab.hosts.get('pbs01') ?? Promise.reject(new Error('the lab has no pbs01'));
const asked = (lab: Lab, what: RegExp) =>
  lab.record.requests.filter(({ path }) => what.test(path)).map(({ path }) => path);

describe('the inventory of a run', () => {
  it.concurrent('finds another disk on the path of a datastore: exit 3, the fence stays, and once the disk is back the next patch lifts it', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const host = await pbs01(lab);
      const tank = host.datastoreAt('tank');
      const own = tank.groups ?? [];
      host.machine.on('kernel-up', () => {
        tank.groups = [nightly({ type: 'vm', id: '555' }, { now: 1_700_000_000, count: 2 })];
      });
      const { code, document } = await patch(lab);
      expect([code, document.outcome, fences(lab).length]).toEqual([3, 'unverified', 2]);
      expect(document.inventory).toMatchObject({ datastores: 2, groups: 4, snapshots: 22, equal: false });
      expect(document.inventory?.differences).toContain('tank: 2 groups are gone: ct/103, vm/101');
      const verify = await pbsCtl(['verify', '--host', 'pbs01', '--config', lab.configPath]);
      expect([verify.code, verify.stdout]).toEqual([
        3,
        expect.stringMatching(/block +verify.inventory +tank:/),
      ]);
      const accepted = await pbsCtl([
        'patch',
        '--host',
        'pbs01',
        '--accept',
        'verify.inventory=it is so',
        '--config',
        lab.configPath,
      ]);
      expect([accepted.code, fences(lab).length]).toEqual([3, 2]);
      tank.groups = own;
      const namespaces = asked(lab, /\/namespace$/).length;
      const again = await patch(lab);
      expect([again.code, again.document.outcome, fences(lab)]).toEqual([0, 'patched', []]);
      expect(again.document.inventory).toMatchObject({ equal: true, differences: [] });
      // Compared with the one of before the upgrade: none is taken anew.
      expect(asked(lab, /\/namespace$/).length - namespaces).toBe(2);
      expect(eventsOf(lab, 'reboot')).toHaveLength(1);
      const report = ['report', again.document.runId, '--config', lab.configPath];
      for (const format of ['text', 'html', 'slack', 'markdown']) {
        const { stdout } = await pbsCtl([...report, '--format', format]);
        expect(stdout.replace(/\s+/g, ' ')).toContain('4 groups, 22 snapshots, all as before');
      }
    }));

  it.concurrent('is needed: a datastore that cannot be listed postpones the run, undone, and is named with the request', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      const host = await pbs01(lab);
      host.routes.unshift({
        method: 'GET',
        path: '/admin/datastore/{name}/groups',
        needs: null,
        handle: () => {
          throw new PbsError('EACCES: Permission denied');
        },
      });
      const { code, document } = await patch(lab);
      expect([code, document.outcome, document.error?.code, fences(lab)]).toEqual([
        75,
        'postponed',
        'inventory.unknown',
        [],
      ]);
      expect(document.error?.message).toMatch(
        /datastore tank of pbs01 .* GET \/admin\/datastore\/tank\/groups: EACCES/,
      );
      expect([document.inventory, eventsOf(lab, 'upgrade-started')]).toEqual([null, []]);
    }));

  it.concurrent('warns of what was broken before, and holds it against no one', ({ expect }) =>
    withLab({ pbs: '3.4' }, async (lab) => {
      const host = await pbs01(lab);
      const newest = host.datastoreAt('tank').groups?.[0]?.snapshots.at(-1);
      if (newest) newest.damaged = true;
      // From 3.4.8 on listed with count 0, and the newest as the last one that is finished.
      host.datastoreAt('vault').groups?.push({ ns: '', type: 'vm', id: '7', owner: 'a@pbs', snapshots: [] });
      host
        .datastoreAt('vault')
        .groups?.[0]?.snapshots.push({ time: 1_800_000_000, files: {}, unfinished: true });
      const { code, document } = await patch(lab);
      expect([code, document.outcome, document.inventory?.equal]).toEqual([0, 'patched', true]);
      expect(document.warnings).toEqual([
        expect.stringMatching(/^before the upgrade: the manifest of vm\/101 \S+ in tank cannot be read/),
      ]);
    }));
});
