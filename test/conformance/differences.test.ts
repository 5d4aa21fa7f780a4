import { inflateSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import { Secret } from '../../src/config/secret.js';
import { type Lab, type LabOptions, startLab } from '../../src/lab/lab.js';
import { realWorld } from '../../src/world.js';
import { pbsCtlJson } from '../support/in-process.js';
import { until, withLab } from '../support/lab.js';
import { type Caller, callerOf } from './caller.js';

const PBS = ['3.4', '4.0', '4.1', '4.2'] as const;

async function asking<Result>(
  options: LabOptions,
  product: 'pve' | 'pbs',
  act: (caller: Caller, lab: Lab) => Promise<Result>,
  secret?: string,
): Promise<Result> {
  const lab = await startLab({ factor: 1000, ...options });
  const caller = callerOf(lab, product, secret);
  try {
    return await act(caller, lab);
  } finally {
    await caller.close();
    await lab.stop();
  }
}

describe('a token that is not accepted', () => {
  it.each([
    ['3.4', 401, 'authentication failed - invalid credentials'],
    ['4.0', 401, 'authentication failed - invalid credentials'],
    ['4.1', 400, 'authentication failed'],
    ['4.2', 401, 'authentication failed'],
  ] as const)('is refused by PBS %s with %i "%s"', (pbs, status, words) =>
    asking(
      { pbs },
      'pbs',
      async (caller) => {
        const answer = await caller.ask('GET', '/version');
        expect({ status: answer.status, words: answer.body.toString('utf8') }).toEqual({ status, words });
        expect('set-cookie' in answer.headers).toBe(pbs === '4.0' || pbs === '4.2');
      },
      'wrong',
    ));

  it.each(PBS)('is a failure, and no reason to try later, also on PBS %s', (pbs) =>
    withLab({ pbs }, async (lab) => {
      // The server's own memory of the secret changes: what the client has is wrong from now on.
      lab.hosts.get('pbs01')?.access.addToken('pbs-ctl@pbs!patch', 'another');
      const { code, document } = await pbsCtlJson<{ error: { code: string } | null; runs?: unknown }>([
        'patch',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect({ code, error: document.error?.code }).toEqual({ code: 1, error: 'api.unauthorized' });
    }));

  it.each([
    '8.4',
    '9.2',
  ] as const)('is refused by PVE %s with 401, an empty body and words in the status line', (pve) =>
    asking(
      { pve },
      'pve',
      async (caller) => {
        const { status, body } = await caller.ask('GET', '/version');
        expect({ status, body: body.toString('utf8') }).toEqual({ status: 401, body: '' });
      },
      'wrong',
    ));
});

describe('what comes and goes with versions of PBS', () => {
  const told = (pbs: (typeof PBS)[number]) =>
    asking({ pbs }, 'pbs', async (caller, lab) => {
      const host = lab.hosts.get('pbs01');
      const ended = host?.startTask({ type: 'logrotate', seconds: 0 });
      await new Promise((resolve) => setTimeout(resolve, 20));
      const data = async (path: string) => (await caller.ask('GET', path)).data;
      const [datastore] = (await data('/admin/datastore')) as Record<string, unknown>[];
      const packages = (await data('/nodes/localhost/apt/update')) as Record<string, unknown>[];
      const task = await data(`/nodes/localhost/tasks/${encodeURIComponent(ended?.upid ?? '')}/status`);
      const kernel = packages.find(({ Package }) => /^proxmox-kernel-.*-signed$/.test(String(Package)));
      return {
        backend: 'backend-type' in (datastore ?? {}),
        notInstalled: kernel?.OldVersion,
        endOfTask: 'endtime' in (task as object),
      };
    });
  it.each([
    ['3.4', { backend: false, notInstalled: '', endOfTask: false }],
    ['4.0', { backend: false, notInstalled: '', endOfTask: false }],
    ['4.1', { backend: false, notInstalled: undefined, endOfTask: false }],
    ['4.2', { backend: true, notInstalled: undefined, endOfTask: true }],
  ] as const)('is played for %s', async (pbs, expected) => {
    expect(await told(pbs)).toEqual(expected);
  });

  it.each([
    ['3.4', 'error trying to connect: tcp connect error: Connection refused (os error 111)'],
    ['4.2', 'client error (Connect)'],
  ] as const)('so the words of %s for a root daemon that is down', (pbs, words) =>
    asking({ pbs }, 'pbs', async (caller, lab) => {
      const host = lab.hosts.get('pbs01');
      if (host) host.daemonRuns = false;
      const { status, body } = await caller.ask('GET', '/nodes/localhost/apt/update');
      expect({ status, words: body.toString('utf8') }).toEqual({ status: 400, words });
    }));
});

describe('the version that /version tells', () => {
  it.each([
    ['3.4', '3.4.6', '3.4.8'],
    ['4.0', '4.0.11', '4.0.17'],
    ['4.1', '4.1.2', '4.1.3'],
    ['4.2', '4.2.2', '4.2.3'],
  ] as const)('of PBS %s is that of the old package until the new one is configured', (pbs, before, after) =>
    withLab({ pbs }, async (lab) => {
      const machine = lab.hosts.get('pbs01')?.machine;
      const caller = callerOf(lab, 'pbs');
      const told = async () => {
        const { version, release } = (await caller.ask('GET', '/version')).data as Record<string, string>;
        return `${version}.${release}`;
      };
      const installed = () =>
        machine?.installedPackages().find(({ name }) => name === 'proxmox-backup-server')?.version ?? '';
      let reloaded = false;
      lab.record.onEntry((entry) => {
        reloaded ||= 'kind' in entry && entry.kind === 'proxy-reloaded';
      });
      expect([await told(), installed()]).toEqual([before, expect.stringContaining(`${before}-`)]);
      machine?.exec(['apt-get', '-y', 'dist-upgrade']);
      await until('the new files', () => installed().startsWith(`${after}-`));
      expect({ reloaded, told: await told() }).toEqual({ reloaded: false, told: before });
      await until('the reload', () => reloaded);
      expect(await told()).toBe(after);
      await caller.close();
    }));
});

describe('what comes and goes with versions of PVE', () => {
  it.each([
    ['8.4', ['VM.Monitor'], false],
    ['9.2', ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'], true],
  ] as const)('is played for %s: privileges of the agent, and whether HA is armed', (pve, agent, armed) =>
    asking({ pve }, 'pve', async (caller) => {
      const { data } = await caller.ask('GET', '/access/permissions', { path: '/vms/900' });
      const held = Object.keys((data as Record<string, object>)['/vms/900'] ?? {});
      expect(held.filter((each) => /Monitor|GuestAgent/.test(each))).toEqual(agent);
      const ha = await caller.ask('GET', '/cluster/ha/status/current');
      expect(JSON.stringify(ha.data).includes('armed-state')).toBe(armed);
    }));
});

describe('compression', () => {
  it('is applied by PBS to everything whenever deflate is named, errors included', () =>
    asking({}, 'pbs', async (caller) => {
      const headers = { 'accept-encoding': 'gzip, deflate' };
      for (const path of ['/version', '/nowhere']) {
        const answer = await caller.ask('GET', path, {}, { headers });
        expect(answer.headers['content-encoding']).toBe('deflate');
        expect(inflateSync(answer.body).toString('utf8')).toMatch(/4\.2|not found/);
      }
    }));
  it('is applied by PVE to what is longer than 1 KiB', () =>
    asking({}, 'pve', async (caller) => {
      const headers = { 'accept-encoding': 'gzip' };
      const long = await caller.ask(
        'GET',
        '/cluster/jobs/schedule-analyze',
        { schedule: 'daily', iterations: '100' },
        { headers },
      );
      const short = await caller.ask('GET', '/version', {}, { headers });
      expect([long, short].map((answer) => answer.headers['content-encoding'])).toEqual(['gzip', undefined]);
    }));
  it('is not requested by the clients', async () => {
    const lab = await startLab({ factor: 1000 });
    const server = lab.hosts.get('pbs01')?.server;
    const wanted: unknown[] = [];
    if (server)
      server.observe = ({ headers }) => {
        wanted.push(headers['accept-encoding']);
      };
    const pbs = connectPbs({
      name: 'pbs01',
      endpoints: [server?.url ?? ''],
      tokenId: 'pbs-ctl@pbs!patch',
      secret: new Secret(lab.secrets[1] ?? '', 'test'),
      tls: { fingerprints: [server?.fingerprint ?? ''] },
      requestTimeoutMs: 5000,
      world: realWorld(),
    });
    expect(await pbs.version()).toEqual({ version: '4.2', release: '2' });
    expect(wanted).toEqual(['identity']);
    await pbs.close();
    await lab.stop();
  });
});
