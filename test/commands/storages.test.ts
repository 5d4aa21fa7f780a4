import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

interface Config {
  clusters: { main: { otherStorages?: string[] } };
  hosts: Record<string, { addresses?: string[] }>;
}
function edit({ configPath }: Lab, change: (config: Config) => void): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as Config;
  change(config);
  writeFileSync(configPath, JSON.stringify(config));
}
/** PVE knows pbs01 by a name that only it knows, with a certificate of a public CA. */
const rename = ({ cluster }: Lab, server = 'backup.invalid') => {
  cluster.storages = cluster.storages.map(({ fingerprint, ...rest }) =>
    rest.storage.startsWith('pbs01')
      ? { ...rest, server }
      : { ...rest, ...(fingerprint ? { fingerprint } : {}) },
  );
};
const inTenMinutes = () => new Date(Date.now() + 600_000).toISOString().slice(11, 16);
const preflight = async (lab: Lab) => {
  const { code, document } = await pbsCtlJson<{
    checks: Array<{ id: string; status: string; summary: string; detail: { hint?: string } }>;
  }>(['preflight', '--host', 'pbs01', '--config', lab.configPath]);
  const find = (id: string) => document.checks.find((each) => each.id === id);
  const blocks = document.checks.filter(({ status }) => status === 'block').map(({ id }) => id);
  return { code, blocks, find };
};

describe('a storage that cannot be told apart counts as this host', () => {
  it.concurrent('a job to it that is due blocks, and the message says how to tell', ({ expect }) =>
    withLab({}, async (lab) => {
      rename(lab);
      lab.cluster.jobs.push({
        id: 'soon',
        schedule: inTenMinutes(),
        enabled: true,
        storage: 'pbs01-tank',
        vmid: '101',
      });
      const { blocks, find } = await preflight(lab);
      expect(blocks).toEqual(['pve.schedule']);
      expect(find('pve.schedule')?.summary).toContain(
        'may write here (pbs01-tank: backup.invalid does not resolve',
      );
      expect(find('pve.schedule')?.detail.hint).toContain('hosts.pbs01.addresses');
      const { stdout } = await pbsCtl(['doctor', '--host', 'pbs01', '--config', lab.configPath]);
      expect(stdout.replace(/\s+/g, ' ')).toContain('pbs01-tank: unknown (backup.invalid');
      edit(lab, ({ clusters }) => {
        clusters.main.otherStorages = ['pbs01-tank'];
      });
      expect((await preflight(lab)).blocks).toEqual([]);
    }));

  it.concurrent('a vzdump to it that is under way blocks between two of its guests', ({ expect }) =>
    withLab({}, async (lab) => {
      rename(lab);
      lab.cluster.startTask({
        node: 'pve2',
        type: 'vzdump',
        log: ['INFO: starting new backup job: vzdump 101 102 --storage pbs01-tank --mode snapshot'],
        seconds: null,
      });
      const { blocks, find } = await preflight(lab);
      expect(blocks).toEqual(['pve.backups']);
      expect(find('pve.backups')?.summary).toContain('may write here');
    }));

  it.concurrent('a name in addresses without a port means 8007 too', ({ expect }) =>
    withLab({}, async (lab) => {
      rename(lab);
      lab.cluster.storages = lab.cluster.storages.map(({ port, ...rest }) =>
        rest.storage.startsWith('pbs01') ? rest : { ...rest, ...(port ? { port } : {}) },
      );
      edit(lab, ({ hosts }) => {
        if (hosts.pbs01) hosts.pbs01.addresses = ['backup.invalid'];
      });
      const { document } = await pbsCtlJson<{
        findings: Array<{
          topic: string;
          status: string;
          detail: { storages: Record<string, { is: string }> };
        }>;
      }>(['doctor', '--host', 'pbs01', '--config', lab.configPath]);
      const found = document.findings.find(({ topic }) => topic === 'storages');
      expect({ status: found?.status, is: found?.detail.storages['pbs01-tank']?.is }).toEqual({
        status: 'pass',
        is: 'here',
      });
    }));

  it.concurrent('a served cluster without a storage that leads here is a warning that names it', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      lab.cluster.storages = lab.cluster.storages.filter(({ storage }) => !storage.startsWith('pbs01'));
      lab.cluster.jobs = [];
      const { code, find } = await preflight(lab);
      expect({ code, status: find('pve.backups')?.status }).toEqual({ code: 0, status: 'warn' });
      expect(find('pve.backups')?.summary).toContain('backups of cluster main are not seen');
    }));

  it.concurrent('otherStorages that names a storage of this host is an error of the config', ({ expect }) =>
    withLab({}, async (lab) => {
      edit(lab, ({ clusters }) => {
        clusters.main.otherStorages = ['pbs01-tank'];
      });
      expect((await preflight(lab)).blocks).toEqual(['pve.backups']);
      const { code } = await pbsCtl(['doctor', '--host', 'pbs01', '--config', lab.configPath]);
      expect(code).toBe(1);
    }));
});

describe('a backup of the own VM', () => {
  it.concurrent.for([
    ['names it', { vmid: '900,103' }],
    ['takes all guests', { all: true }],
  ] as const)('that is due to another storage blocks where the job %s', ([, whom], { expect }) =>
    withLab({}, async (lab) => {
      lab.cluster.storages.push({ storage: 'nas', type: 'nfs', server: '192.0.2.9' });
      lab.cluster.jobs = [{ id: 'weekly', schedule: inTenMinutes(), enabled: true, storage: 'nas', ...whom }];
      const { blocks, find } = await preflight(lab);
      expect(blocks).toEqual(['pve.schedule']);
      expect(find('pve.schedule')?.summary).toContain('backs up guest 900');
    }));
});
