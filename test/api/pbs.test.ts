import { afterEach, describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import { jobsOf } from '../../src/api/pbs.js';
import { maintenanceText } from '../../src/api/pbs-answers.js';
import { options, type Received, serve, type TestServer } from './server.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
async function pbsWith(answers: Record<string, unknown> | ((request: Received) => unknown)) {
  const server = await serve((request) => {
    const path = request.url.replace('/api2/json', '').replace(/\?.*/, '');
    const body = typeof answers === 'function' ? answers(request) : answers[path];
    return body === undefined ? { status: 404, body: `Path '${path}' not found.` } : { body };
  });
  running.push(server);
  return { server, pbs: connectPbs(options(server)) };
}

describe('PBS answers', () => {
  it('an empty log of a unit has no lines', async () => {
    const { pbs } = await pbsWith({
      '/nodes/localhost/syslog': { data: [{ n: 1, t: '-- No entries --' }], total: 1 },
    });
    expect(await pbs.unitLog('pbs-ctl-upgrade.service', 1_795_399_200, 3600)).toEqual([]);
    await pbs.close();
  });

  it('the log of a task is read in pages, lines counted from 1', async () => {
    const { pbs, server } = await pbsWith(({ url }) => {
      const start = Number(new URL(url, 'https://x').searchParams.get('start'));
      const numbers = Array.from(
        { length: Math.max(0, Math.min(5000, 5002 - start + 1)) },
        (_, index) => start + index,
      );
      return { data: numbers.map((n) => ({ n, t: `line ${n}` })), total: 5002, success: 1 };
    });
    const lines: string[] = [];
    await pbs.taskLog('UPID:pbs1:1:2:3:4:backup:store1\\x3avm-100:pve@pbs!c1:', (line) => lines.push(line));
    expect(lines).toHaveLength(5002);
    expect(lines.at(-1)).toBe('line 5002');
    expect(new Set(lines).size).toBe(5002);
    expect(server.received.map(({ url }) => url.replace(/.*\?/, ''))).toEqual([
      'start=1&limit=5000',
      'start=5001&limit=5000',
    ]);
    expect(server.received[0]?.url).toContain('store1%5Cx3avm-100%3Apve%40pbs!c1%3A');
    await pbs.close();
  });

  it('running tasks are requested without a limit and without a JSON content type', async () => {
    const task = {
      upid: 'UPID:a',
      node: 'localhost',
      pid: 1,
      pstart: 2,
      starttime: 1774431015,
      worker_type: 'backup',
      worker_id: null,
      user: 'a@pbs',
    };
    const { pbs, server } = await pbsWith({ '/nodes/localhost/tasks': { data: [task], total: 1 } });
    expect(await pbs.runningTasks()).toEqual([
      {
        upid: 'UPID:a',
        type: 'backup',
        id: null,
        user: 'a@pbs',
        startedAt: 1774431015,
        endedAt: null,
        status: null,
      },
    ]);
    expect(server.received[0]?.url).toBe('/api2/json/nodes/localhost/tasks?running=1&limit=0');
    expect(server.received[0]?.headers['content-type']).toBeUndefined();
    expect(server.received[0]?.headers['accept-encoding']).toBe('identity');
    await pbs.close();
  });

  it.each`
    version  | query                    | because
    ${'3.2'} | ${''}                    | ${'the parameter is refused there'}
    ${'3.3'} | ${'?sync-direction=all'} | ${'only pull jobs are listed otherwise'}
    ${'4.2'} | ${'?sync-direction=all'} | ${'as before'}
  `('sync jobs of PBS $version are requested with "$query": $because', async ({ version, query }) => {
    const { pbs, server } = await pbsWith({
      '/version': { data: { version, release: '1' } },
      '/admin/datastore': { data: [{ store: 's1' }, { store: 's2' }] },
      '/admin/datastore/s1/active-operations': { data: { read: 0, write: 0 } },
      '/admin/datastore/s2/active-operations': { data: { read: 0, write: 1 } },
      '/admin/gc': {
        data: [{ store: 's1', schedule: 'daily', 'next-run': 5, upid: 'UPID:old' }, { store: 's2' }],
      },
      '/nodes/localhost/tasks': {
        data: [
          {
            upid: 'UPID:gc',
            starttime: 1,
            worker_type: 'garbage_collection',
            worker_id: 's2',
            user: 'root@pam',
          },
        ],
      },
      '/admin/prune': { data: [{ id: 'p', store: 's1', schedule: 'daily', disable: true }] },
      '/admin/verify': { data: [{ id: 'v', store: 's1', 'last-run-upid': 'UPID:v' }] },
      '/admin/sync': {
        data: [
          { id: 'y', store: 's1', 'last-run-upid': 'UPID:y', 'last-run-endtime': 3, 'last-run-state': 'OK' },
        ],
      },
      '/tape/backup': { data: [] },
    });
    const { jobs, unknown } = await jobsOf(pbs);
    expect(unknown).toBeNull();
    expect(jobs.map(({ kind, id, disabled, running }) => [kind, id, disabled, running])).toEqual([
      ['garbage-collection', 's1', false, false],
      ['garbage-collection', 's2', false, true],
      ['prune', 'p', true, false],
      ['verify', 'v', false, true],
      ['sync', 'y', false, false],
    ]);
    expect(server.received.map(({ url }) => url)).toContain(`/api2/json/admin/sync${query}`);
    await pbs.close();
  });

  it('the maintenance mode is read with and without "type=", and written without a comma in its message', async () => {
    const { pbs, server } = await pbsWith(({ method }) =>
      method === 'PUT'
        ? { data: null }
        : {
            data: [{ name: 's1', path: '/s', 'maintenance-mode': 'type=offline,message=a%2C b=c' }],
            digest: 'd'.repeat(64),
          },
    );
    const { datastores, digest } = await pbs.datastoreConfigs();
    expect(datastores[0]?.maintenance).toEqual({ type: 'offline', message: 'a, b=c' });
    await pbs.setMaintenance('s1', { type: 'read-only', message: 'a, b' }, digest);
    const form = new URLSearchParams(server.received.at(-1)?.body);
    expect(form.get('maintenance-mode')).toBe('type=read-only,message=a%2C b');
    expect(form.get('digest')).toBe(digest);
    expect(maintenanceText('offline', '50%')).toBe('type=offline,message=50%25');
    await pbs.close();
  });

  it('a store that is not mounted has no error of its own', async () => {
    const { pbs } = await pbsWith({
      '/status/datastore-usage': {
        data: [
          { store: 'usb1', 'mount-status': 'notmounted' },
          { store: 's1', total: 9, used: '4', avail: 5, 'mount-status': 'nonremovable' },
        ],
      },
      '/admin/datastore': {
        data: [{ store: 's1', comment: null, maintenance: 'read-only,message=patching' }],
      },
    });
    expect(await pbs.datastoreUsage(['s1', 'usb1'])).toEqual([
      { name: 's1', total: 9, used: 4, available: 5, error: null, mounted: null },
      { name: 'usb1', total: null, used: null, available: null, error: null, mounted: false },
    ]);
    expect(await pbs.datastores()).toEqual([
      { name: 's1', maintenance: { type: 'read-only', message: 'patching' }, mounted: null },
    ]);
    await pbs.close();
  });

  it('OldVersion is what is installed; absent, blank and "unknown" mean nothing is', async () => {
    const base = { Title: 't', Arch: 'amd64', Version: '2', Origin: 'Proxmox' };
    const { pbs } = await pbsWith({
      '/nodes/localhost/apt/versions': {
        data: [
          { ...base, Package: 'a', OldVersion: '1', ExtraInfo: 'running version: 1' },
          { ...base, Package: 'b' },
          { ...base, Package: 'c', OldVersion: '' },
          { Package: 'd', OldVersion: 'unknown', Version: 'unknown', Origin: 'unknown' },
        ],
      },
    });
    expect(
      (await pbs.packages()).map(({ name, installed, candidate, note }) => [
        name,
        installed,
        candidate,
        note,
      ]),
    ).toEqual([
      ['a', '1', '2', 'running version: 1'],
      ['b', null, '2', null],
      ['c', null, '2', null],
      ['d', null, null, null],
    ]);
    await pbs.close();
  });

  it('repositories: errors, warnings, standard ones, and what is enabled', async () => {
    const { pbs } = await pbsWith({
      '/nodes/localhost/apt/repositories': {
        data: {
          digest: 'x',
          errors: [{ path: '/bad.list', error: 'broken' }],
          infos: [
            { path: '/d', index: 0, kind: 'origin', message: 'Debian' },
            { path: '/d', index: 1, property: 'Suites', kind: 'warning', message: 'old suite' },
          ],
          'standard-repos': [
            { handle: 'enterprise', status: true, name: 'E' },
            { handle: 'test', name: 'T' },
          ],
          files: [
            {
              path: '/d',
              repositories: [
                {
                  Types: ['deb'],
                  URIs: ['http://u'],
                  Suites: ['trixie', 'trixie-updates'],
                  Components: ['main', 'contrib'],
                  Enabled: true,
                },
                { Types: ['deb'], URIs: ['http://off'], Suites: ['trixie'], Components: [], Enabled: 0 },
              ],
            },
          ],
        },
      },
    });
    expect(await pbs.repositories()).toEqual({
      errors: [{ path: '/bad.list', error: 'broken' }],
      warnings: ['/d: old suite'],
      standard: [
        { handle: 'enterprise', enabled: true },
        { handle: 'test', enabled: null },
      ],
      enabled: [{ path: '/d', uri: 'http://u', components: ['main', 'contrib'] }],
    });
    await pbs.close();
  });
});
