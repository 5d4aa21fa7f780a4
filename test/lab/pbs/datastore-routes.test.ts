import { createHash } from 'node:crypto';
import { describe, it } from 'vitest';
import type { SimulatedSnapshot } from '../../../src/lab/pbs/contents.js';
import { asking, storeOf, told } from './hosts.js';

describe('datastores of the lab', () => {
  it.concurrent('come in another order at another call, as jobs do', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      host.jobs.push({
        kind: 'verify',
        id: 'v-2',
        store: 'vault',
        schedule: 'daily',
        nextRun: 2_000_000_000,
      });
      for (const [path, key] of [
        ['/admin/datastore', 'store'],
        ['/config/datastore', 'name'],
        ['/status/datastore-usage', 'store'],
        ['/admin/gc', 'store'],
        ['/admin/verify', 'id'],
      ] as const) {
        const orders = new Set<string>();
        for (let call = 0; call < 60 && orders.size < 2; call += 1) {
          const list = (await caller.ask('GET', path)).data as Record<string, string>[];
          orders.add(list.map((each) => each[key]).join());
        }
        expect([path, orders.size]).toEqual([path, 2]);
      }
    }));

  it.concurrent('have no active operations when they do not exist, which is no error', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const { status, data } = await caller.ask('GET', '/admin/datastore/nope/active-operations');
      expect([status, data]).toEqual([200, { read: 0, write: 0 }]);
      expect(told(await caller.ask('GET', '/admin/datastore/nope/status'))).toBe(
        "400 no such datastore 'nope'",
      );
    }));

  it.concurrent('have a digest beside every list of jobs but that of garbage collection', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const digest = async (path: string) =>
        (JSON.parse((await caller.ask('GET', path)).body.toString('utf8')) as { digest?: string }).digest;
      for (const path of ['/admin/prune', '/admin/verify', '/admin/sync', '/tape/backup'])
        expect(await digest(path)).toMatch(/^[0-9a-f]{64}$/);
      expect(await digest('/admin/gc')).toBeUndefined();
    }));

  it.concurrent('have jobs that say how they ended last, and nothing of it while they run', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      const lists = async () => {
        const [verify] = (await caller.ask('GET', '/admin/verify')).data as Record<string, unknown>[];
        const [gc] = (await caller.ask('GET', '/admin/gc', { store: 'tank' })).data as Record<
          string,
          unknown
        >[];
        return { verify, gc };
      };
      const before = await lists();
      expect(before.verify).toMatchObject({ 'last-run-state': 'OK', 'last-run-upid': expect.any(String) });
      expect(before.gc).toMatchObject({ 'last-run-state': 'OK', duration: 600 });
      const { upid } = host.startTask({ type: 'verificationjob', id: 'tank:v-pbs01', seconds: null });
      host.startTask({ type: 'garbage_collection', id: 'tank', store: 'tank', seconds: null });
      const during = await lists();
      expect(during.verify?.['last-run-upid']).toBe(upid);
      for (const { verify, gc } of [during])
        expect([...Object.keys(verify ?? {}), ...Object.keys(gc ?? {})]).not.toContain('last-run-endtime');
    }));

  it.concurrent('tell of their use over time', ({ expect }) =>
    asking({}, async ({ caller }) => {
      const [one] = (await caller.ask('GET', '/status/datastore-usage')).data as Record<string, unknown>[];
      expect(one).toMatchObject({ 'history-delta': 1800, history: [null, 0.4, 0.41] });
      expect(one).toHaveProperty('history-start');
      expect(one).toHaveProperty('estimated-full-date');
    }));

  it.concurrent('have namespaces, groups, snapshots and files, which can be downloaded', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      const at = 1_764_604_800;
      const finished: SimulatedSnapshot = { time: at, files: { 'pct.conf.blob': 'arch\n' } };
      storeOf(host, 'tank').groups = [
        { ns: 'prod/a', type: 'ct', id: '203', owner: 'pve@pbs!c1', snapshots: [finished] },
        { ns: 'prod/a', type: 'vm', id: '204', owner: null, snapshots: [finished] },
      ];
      const path = (what: string) => `/admin/datastore/tank/${what}`;
      expect((await caller.ask('GET', path('namespace'))).data).toEqual([
        { ns: '' },
        { ns: 'prod' },
        { ns: 'prod/a' },
      ]);
      const ns = { ns: 'prod/a' };
      // One whose owner cannot be read is left out without a word.
      expect((await caller.ask('GET', path('groups'), ns)).data).toEqual([
        {
          'backup-type': 'ct',
          'backup-id': '203',
          owner: 'pve@pbs!c1',
          'backup-count': 1,
          'last-backup': at,
          files: ['pct.conf.blob', 'index.json.blob'],
        },
      ]);
      expect(told(await caller.ask('GET', path('groups'), { ns: 'gone' }))).toMatch(/^400 ENOENT/);
      const snapshot = { ...ns, 'backup-type': 'ct', 'backup-id': '203', 'backup-time': String(at) };
      expect((await caller.ask('GET', path('snapshots'), ns)).data).toHaveLength(2);
      const download = (what: string, name: string) =>
        caller.ask('GET', path(what), { ...snapshot, 'file-name': name });
      // Eight bytes magic number, four bytes CRC-32, then the data.
      const files = [
        { filename: 'pct.conf.blob', 'crypt-mode': 'none', size: 12 + 5 },
        { filename: 'index.json.blob', 'crypt-mode': 'none', size: expect.any(Number) },
      ];
      expect((await caller.ask('GET', path('files'), snapshot)).data).toEqual(files);
      const blob = (await download('download', 'pct.conf.blob')).body;
      expect(blob.toString('latin1').slice(12)).toBe('arch\n');
      expect(told(await download('download-decoded', 'pct.conf.blob'))).toBe('200 arch\n');
      const manifest = JSON.parse((await download('download-decoded', 'index.json.blob')).body.toString());
      const csum = createHash('sha256').update(blob).digest('hex');
      expect(manifest.files).toEqual([
        { filename: 'pct.conf.blob', 'crypt-mode': 'none', size: blob.length, csum },
      ]);
      // A bit that has changed on disk changes what is downloaded, and no list.
      finished.flipped = 'pct.conf.blob';
      expect((await download('download', 'pct.conf.blob')).body).not.toEqual(blob);
      expect((await caller.ask('GET', path('files'), snapshot)).data).toEqual(files);
      finished.damaged = true;
      expect(told(await caller.ask('GET', path('files'), snapshot))).toMatch(/^400 .* wrong magic number$/);
    }));

  it.concurrent('hide a namespace without rights in the list, and refuse it by name', ({ expect }) =>
    asking({}, async ({ host, caller }) => {
      host.access.grant('/datastore/tank/prod', []);
      expect((await caller.ask('GET', '/admin/datastore/tank/namespace')).data).toEqual([{ ns: '' }]);
      expect(told(await caller.ask('GET', '/admin/datastore/tank/groups', { ns: 'prod' }))).toBe(
        '403 permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/tank/prod',
      );
    }));

  it.concurrent('are closed to a token without rights on their contents, by words of the handler', ({
    expect,
  }) =>
    asking({}, async ({ host, caller }) => {
      for (const each of ['Datastore.Audit', 'Datastore.Backup']) host.access.revoke(each);
      expect(told(await caller.ask('GET', '/admin/datastore/tank/groups'))).toBe(
        '403 permission check failed - missing Datastore.Audit|Datastore.Backup on /datastore/tank',
      );
    }));

  for (const [pbs, listed] of [
    ['3.4', [{ 'backup-count': 2, 'last-backup': 2000, files: [] }]],
    [
      '4.2',
      [
        { 'backup-count': 2, 'last-backup': 1000, files: ['index.json.blob'] },
        { 'backup-count': 0, 'last-backup': 0, files: [] },
      ],
    ],
  ] as const)
    it.concurrent(`list an unfinished snapshot and an empty group as PBS ${pbs} does`, ({ expect }) =>
      asking({ pbs }, async ({ host, caller }) => {
        const files = { 'index.json.blob': '{}' };
        const group = { ns: '', type: 'vm', owner: 'a@pbs' } as const;
        storeOf(host, 'tank').groups = [
          {
            ...group,
            id: '1',
            snapshots: [
              { time: 1000, files },
              { time: 2000, files, unfinished: true },
            ],
          },
          { ...group, id: '2', snapshots: [] },
        ];
        expect((await caller.ask('GET', '/admin/datastore/tank/groups')).data).toMatchObject(listed);
      }));
});
