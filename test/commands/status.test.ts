import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { HostStatus } from '../../src/report/status-text.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { fences, systemOf, withLab } from '../support/lab.js';

describe('status', () => {
  it.concurrent('of fence, lock and run says what PBS, lock show and the journal say', ({ expect }) =>
    withLab({ scenario: 'reboot-swallowed' }, async (lab) => {
      const host = ['--host', 'pbs01', '--config', lab.configPath];
      const { document: report } = await pbsCtlJson<RunDocument>(['patch', ...host]);
      const { document } = await pbsCtlJson<{ hosts: HostStatus[] }>(['status', ...host]);
      const shown = await pbsCtlJson<Record<string, unknown>>(['lock', 'show', '--config', lab.configPath]);
      const { owner, run, expiresAt, expired, cluster } = shown.document;
      expect(document.hosts).toMatchObject([
        {
          lock: { owner, run, expiresAt, expired, cluster },
          run: { id: report.runId, phase: 'wait', open: true },
          owes: ['reboot', 'fence', 'lock'],
          lastRun: { id: report.runId, outcome: 'failed', finishedAt: report.finishedAt },
          datastores: ['tank', 'vault'].map((name) => ({
            name,
            maintenance: { type: 'read-only', run: report.runId },
          })),
        },
      ]);
      expect(fences(lab)).toHaveLength(2);
    }));

  it.concurrent('says when a run fits next, as windows does', ({ expect }) =>
    withLab({}, async (lab) => {
      const host = ['--host', 'pbs01', '--config', lab.configPath];
      const { document } = await pbsCtlJson<{ hosts: HostStatus[] }>(['status', ...host]);
      const next = Date.parse(document.hosts[0]?.nextSafe ?? '');
      const windows = await pbsCtlJson<{ next: { start: string } }>(['windows', ...host]);
      expect(Math.abs(next - Date.parse(windows.document.next.start))).toBeLessThan(60_000);
    }));

  it.concurrent('shows every host, and one that cannot be reached with the reason', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs02')?.server.goDark('refuse');
      const { code, document } = await pbsCtlJson<{ hosts: Array<Record<string, unknown>> }>([
        'status',
        '--config',
        lab.configPath,
      ]);
      expect(document.hosts).toMatchObject([
        { host: 'pbs01', reachable: true, version: systemOf(lab).version, lock: null, error: null },
        { host: 'pbs02', reachable: false, version: null, error: { code: 'net.unreachable' } },
      ]);
      expect(code).toBe(75);
    }));

  it.concurrent('shows a PBS as reachable where only PVE is away, and says that the lock is not known', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      for (const server of lab.cluster.servers) server.goDark('refuse');
      const args = ['status', '--host', 'pbs01', '--config', lab.configPath];
      const { code, document } = await pbsCtlJson<{ hosts: HostStatus[] }>(args);
      expect(document.hosts).toMatchObject([
        {
          reachable: true,
          version: systemOf(lab).version,
          datastores: [{ name: 'tank' }, { name: 'vault' }],
          lock: null,
          error: { code: 'net.unreachable' },
        },
      ]);
      expect(code).toBe(75);
      const { stdout } = await pbsCtl(args);
      expect(stdout).toContain('pbs01: reachable');
      expect(stdout).toMatch(/^ *lock +not known: No endpoint of PVE cluster "main" answers/m);
      expect(stdout).not.toContain('free');
    }));

  it.concurrent('shows who holds the lock also of a host that is away', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      lab.hosts.get('pbs01')?.server.goDark('refuse');
      const args = ['status', '--host', 'pbs01', '--config', lab.configPath];
      const { document } = await pbsCtlJson<{ hosts: HostStatus[] }>(args);
      expect(document.hosts).toMatchObject([{ reachable: false, lock: { cluster: 'main' } }]);
      expect((await pbsCtl(args)).stdout).toMatch(/not reachable[\s\S]+cluster main: held by/);
    }));

  it.concurrent('ends 1 where a token is refused, also when another host is merely away', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.access.addToken('pbs-ctl@pbs!patch', 'another-secret');
      lab.hosts.get('pbs02')?.server.goDark('refuse');
      const { code, document } = await pbsCtlJson<{ hosts: HostStatus[] }>([
        'status',
        '--config',
        lab.configPath,
      ]);
      expect(document.hosts.map(({ error }) => error?.code)).toEqual(['api.unauthorized', 'net.unreachable']);
      expect(code).toBe(1);
    }));

  it.concurrent('ends 1 where PVE refuses the token', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.access.addToken('pbs-ctl@pve!patch', 'another-secret');
      const { code, document } = await pbsCtlJson<{ hosts: HostStatus[] }>([
        'status',
        '--config',
        lab.configPath,
      ]);
      expect(document.hosts.map(({ reachable }) => reachable)).toEqual([true, true]);
      expect(code).toBe(1);
    }));

  it.concurrent('shows a PBS that refuses the token as one that answers, and says so', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.access.addToken('pbs-ctl@pbs!patch', 'another-secret');
      const args = ['status', '--host', 'pbs01', '--config', lab.configPath];
      const { document } = await pbsCtlJson<{ hosts: HostStatus[] }>(args);
      expect(document.hosts).toMatchObject([
        {
          reachable: true,
          version: null,
          unknown: ['datastores', 'tasks'],
          error: { code: 'api.unauthorized' },
        },
      ]);
      const { stdout } = await pbsCtl(args);
      expect(stdout).toMatch(/^pbs01: answers, but refuses the token\n +reason +PBS "pbs01".*\n/);
      expect(stdout).not.toContain('none running');
    }));

  it.concurrent('shows what the proxy knows while the root daemon is down, and what to do', ({ expect }) =>
    withLab({}, async (lab) => {
      const host = lab.hosts.get('pbs01');
      if (host) host.daemonRuns = false;
      const args = ['status', '--host', 'pbs01', '--config', lab.configPath];
      const { code, document } = await pbsCtlJson<{ hosts: HostStatus[] }>(args);
      expect(document.hosts).toMatchObject([
        {
          reachable: true,
          version: systemOf(lab).version,
          updates: null,
          datastores: [{ name: 'tank', state: 'ok' }, { name: 'vault' }],
          unknown: [],
          error: { code: 'pbs.daemon-down' },
        },
      ]);
      expect(code).toBe(75);
      expect((await pbsCtl(args)).stdout).toMatch(/^pbs01: answers, but its root daemon does not\n/);
    }));
});
