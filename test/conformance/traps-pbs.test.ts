import { afterEach, describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import type { Finding } from '../../src/journal/document.js';
import { options, type Received, type Reply, serve, type TestServer } from '../api/server.js';
import { pbsCtlJson } from '../support/in-process.js';
import { eventsOf, fences, withLab } from '../support/lab.js';
import { everyRequest } from './client-requests.js';

const running: TestServer[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((server) => server.stop()));
});
async function pbsThat(reply: (request: Received, nth: number) => Reply) {
  const server = await serve(reply);
  running.push(server);
  return { pbs: connectPbs(options(server)), server };
}
const faultOf = (promise: Promise<unknown>) =>
  promise.then(
    () => 'nothing',
    (error: unknown) => error,
  );

describe('traps of the PBS API', () => {
  it('PBS 1: the text of an error is told although its label says JSON', async () => {
    const { pbs } = await pbsThat(() => ({
      status: 400,
      body: 'unable to open /etc/proxmox-backup/datastore.cfg',
    }));
    expect(await faultOf(pbs.time())).toMatchObject({
      message: expect.stringContaining('unable to open /etc'),
    });
    await pbs.close();
  });
  it('PBS 2: a root daemon that is down is asked again, and then a reason to try later', async () => {
    const { pbs, server } = await pbsThat(() => ({ status: 400, body: 'client error (Connect)' }));
    expect(await faultOf(pbs.updates())).toMatchObject({ code: 'pbs.daemon-down', exitCode: 75 });
    expect(server.received).toHaveLength(3);
    await pbs.close();
  });
  it('PBS 3: "authentication failed" with status 400 is a refused token', async () => {
    const { pbs, server } = await pbsThat(() => ({ status: 400, body: 'authentication failed\n' }));
    expect(await faultOf(pbs.version())).toMatchObject({ code: 'api.unauthorized' });
    expect(server.received).toHaveLength(1);
    await pbs.close();
  });
  it('PBS 5: a version gets no parameter that it does not know', async () => {
    const toSync = async (pbs: string) =>
      (await everyRequest({ pve: '9.2', pbs })).filter(({ path }) => path === '/admin/sync');
    expect((await toSync('3.2')).map(({ parameters }) => parameters)).toEqual([{}, {}]);
  });
});

describe('traps of the PBS API in a whole run', () => {
  const preflight = async (configPath: string) =>
    pbsCtlJson<{ checks: Finding[] }>(['preflight', '--host', 'pbs01', '--config', configPath]);

  it.concurrent('PBS 7: ping, version and node status are well while the root daemon is down, and that is found', () =>
    withLab({}, async (lab) => {
      const host = lab.hosts.get('pbs01');
      if (host) host.daemonRuns = false;
      const { code, document } = await preflight(lab.configPath);
      expect(code).toBe(75);
      expect(document.checks.find(({ id }) => id === 'pbs.api')).toMatchObject({
        status: 'block',
        summary: expect.stringContaining('root daemon'),
      });
    }));

  it.concurrent('PBS 10: a list of packages may take longer than other answers', () =>
    withLab({}, async (lab) => {
      lab.setWeather(({ path }) =>
        path === '/nodes/localhost/apt/update' ? { kind: 'late', ms: 7000 } : null,
      );
      const { document } = await preflight(lab.configPath);
      expect(document.checks.find(({ id }) => id === 'pbs.apt')?.status).not.toBe('block');
    }));

  it.concurrent('PBS 22: a backup that begins during the upgrade is not killed by the reboot', () =>
    withLab({}, async (lab) => {
      const host = lab.hosts.get('pbs01');
      lab.record.onEntry((entry) => {
        // The fence is up: what still comes is a restore, which reads.
        if (!('kind' in entry) || entry.kind !== 'upgrade-started') return;
        host?.startTask({ type: 'reader', id: 'tank:vm/101', store: 'tank', access: 'read', seconds: null });
      });
      const { code, document } = await pbsCtlJson<{ outcome: string }>([
        'patch',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect({ code, outcome: document.outcome }).toEqual({ code: 75, outcome: 'reboot-pending' });
      expect(eventsOf(lab, 'reboot')).toEqual([]);
      expect(eventsOf(lab, 'harmed')).toEqual([]);
      expect(fences(lab)).toEqual([]);
    }));

  it.concurrent('PBS 27: a config that another user changes in between is read again, and the fence stands', () =>
    withLab({}, async (lab) => {
      const stores = lab.hosts.get('pbs01')?.datastores ?? [];
      const met: string[] = [];
      lab.setWeather(({ method, path }) => {
        const [, fenced] = /^\/config\/datastore\/(.+)$/.exec(path) ?? [];
        if (met.length === 0 && method === 'PUT' && fenced) {
          // A mode of another user on the other datastore changes the digest of both.
          const other = stores.find(({ name }) => name !== fenced);
          if (other) other.maintenance = 'read-only,message=mine';
          met.push(fenced, other?.name ?? '');
        }
        return null;
      });
      const { document } = await pbsCtlJson<{ outcome: string }>([
        'patch',
        '--host',
        'pbs01',
        '--reboot',
        'never',
        '--config',
        lab.configPath,
      ]);
      const [fenced, other] = met;
      expect(document.outcome).toBe('patched');
      expect(eventsOf(lab, 'maintenance-set').map(({ detail }) => detail.datastore)).toEqual([fenced]);
      expect(fences(lab)).toEqual([`${other}: read-only,message=mine`]);
    }));

  it.concurrent('PVE 31: nodes in different time zones read a schedule differently, so its runs are unknown', () =>
    withLab({}, async (lab) => {
      const node = lab.cluster.nodes.get('pve2');
      if (node) node.timezone = 'Europe/Vienna';
      const { code, document } = await preflight(lab.configPath);
      expect(code).toBe(75);
      expect(document.checks.find(({ id }) => id === 'pve.schedule')?.summary).toContain(
        'different time zones',
      );
    }));

  it.concurrent.each([
    ['the same offset from UTC', 3600, 'pass'],
    ['different offsets from UTC', 0, 'block'],
  ])('a node that names no time zone is compared by its clock: %s', (_, second, status) =>
    withLab({}, async (lab) => {
      const route = lab.cluster.routes.find(({ path }) => path === '/nodes/{node}/time');
      const answer = route?.handle;
      if (!route || !answer) throw new Error('the lab has no such route');
      const handle: typeof answer = async (request) => {
        const seen = (await answer(request)) as { time: number };
        const offset = request.params.node === 'pve2' ? second : 3600;
        return { timezone: null, time: seen.time, localtime: seen.time + offset };
      };
      Object.assign(route, { handle });
      const { document } = await preflight(lab.configPath);
      expect(document.checks.filter(({ status: each }) => each === 'block').map(({ id }) => id)).toEqual(
        status === 'block' ? ['pve.schedule'] : [],
      );
    }));

  it.concurrent('PVE 31: what PVE says of the next run of a disabled job counts for nothing', () =>
    withLab({}, async (lab) => {
      lab.cluster.jobs = [{ id: 'off', schedule: '*:*', enabled: false, storage: 'pbs01-tank', all: true }];
      const { document } = await preflight(lab.configPath);
      expect(document.checks.find(({ id }) => id === 'pve.schedule')?.status).toBe('pass');
    }));
});
