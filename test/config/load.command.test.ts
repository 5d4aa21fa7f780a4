import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

interface ConfigFile {
  clusters: Record<string, { secret: object; tls: object; lock?: object }>;
  hosts: Record<string, { secret: object; tls: object }>;
}
interface Failed {
  error: { code: string; message: string; hint: string } | null;
  runs?: RunDocument[];
}

function edit(lab: Lab, change: (config: ConfigFile) => void): void {
  const config = JSON.parse(readFileSync(lab.configPath, 'utf8')) as ConfigFile;
  change(config);
  writeFileSync(lab.configPath, JSON.stringify(config));
}

/** Gives pbs02 a secret file of its own. */
function ownSecret(lab: Lab): string {
  const file = join(lab.dir, 'secrets', 'pbs02');
  writeFileSync(file, readFileSync(join(lab.dir, 'secrets', 'pbs')), { mode: 0o600 });
  edit(lab, ({ hosts }) => {
    if (hosts.pbs02) hosts.pbs02.secret = { file };
  });
  return file;
}

const runsOnDisk = (lab: Lab): string[] => {
  try {
    return readdirSync(join(lab.dir, 'state', 'runs'));
  } catch {
    return [];
  }
};

describe('a secret that cannot be had', () => {
  it.each([
    'patch',
    'preflight',
    'verify',
    'windows',
    'status',
  ])('of the last host ends %s with 2 before the first host is asked anything', (command) =>
    withLab({}, async (lab) => {
      rmSync(ownSecret(lab));
      const { code, document } = await pbsCtlJson<Failed>([command, '--all', '--config', lab.configPath]);
      expect({ code, error: document.error?.code, runs: document.runs }).toEqual({
        code: 2,
        error: 'config.secret',
        runs: undefined,
      });
      expect({ asked: lab.record.requests, runs: runsOnDisk(lab) }).toEqual({ asked: [], runs: [] });
    }));

  it('of a cluster counts for the hosts that need that cluster, and for no other', () =>
    withLab({}, async (lab) => {
      edit(lab, ({ clusters }) => {
        if (!clusters.main) return;
        const lock = { store: 'registered-tag' };
        clusters.unused = { ...clusters.main, secret: { env: 'NOT_SET_ANYWHERE' }, lock };
      });
      const config = ['--config', lab.configPath];
      expect((await pbsCtl(['preflight', '--host', 'pbs01', ...config])).code).toBe(0);
    }));

  it('leaves no run behind that the next patch would go on with', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const file = join(lab.dir, 'secrets', 'pbs');
      const patch = ['patch', '--host', 'pbs01', '--config', lab.configPath];
      chmodSync(file, 0o644);
      expect((await pbsCtl(patch)).code).toBe(2);
      expect(runsOnDisk(lab)).toEqual([]);
      chmodSync(file, 0o600);
      const { document } = await pbsCtlJson<RunDocument>(patch);
      expect({ resumed: document.resumed, outcome: document.outcome }).toEqual({
        resumed: false,
        outcome: 'postponed',
      });
    }));

  it('after a host was patched is no 2, which promises that nothing was changed', () =>
    withLab({ scenario: 'nothing-to-upgrade' }, async (lab) => {
      const file = ownSecret(lab);
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-set') rmSync(file, { force: true });
      });
      const { code, document } = await pbsCtlJson<Failed>(['patch', '--all', '--config', lab.configPath]);
      expect({ code, error: document.error?.code }).toEqual({ code: 1, error: 'config.secret' });
      expect(document.runs?.map(({ host, outcome }) => `${host} ${outcome}`)).toEqual(['pbs01 patched']);
      // Nor is the host that never began said to be in the middle of a run.
      expect(runsOnDisk(lab)).toEqual([document.runs?.[0]?.runId]);
    }));

  it.each([
    ['file', { file: '/nonexistent/secret' }],
    ['env', { env: 'NOT_SET_ANYWHERE' }],
    ['credential', { credential: 'pbs01-token' }],
  ] as const)('is named with its key and the config file: %s', (_, secret) =>
    withLab({}, async (lab) => {
      edit(lab, ({ hosts }) => {
        if (hosts.pbs01) hosts.pbs01.secret = secret;
      });
      const { code, stderr } = await pbsCtl(['patch', '--host', 'pbs01', '--config', lab.configPath]);
      expect(code).toBe(2);
      expect(stderr).toContain(`hosts.pbs01.secret in ${lab.configPath}`);
    }));

  it('that others can read is named with its key too, also where a cluster asks for it', () =>
    withLab({}, async (lab) => {
      chmodSync(join(lab.dir, 'secrets', 'pve'), 0o644);
      const { code, stderr } = await pbsCtl(['lock', 'show', '--config', lab.configPath]);
      expect(code).toBe(2);
      expect(stderr).toMatch(/can be read by others \(mode 644\)/);
      expect(stderr).toContain(`clusters.main.secret in ${lab.configPath}`);
    }));
});

describe('a secret file', () => {
  it('that holds a whole header is refused, without a word of it', () =>
    withLab({}, async (lab) => {
      const file = join(lab.dir, 'secrets', 'pbs');
      const secret = readFileSync(file, 'utf8').trim();
      writeFileSync(file, `PBSAPIToken=pbs-ctl@pbs!patch:${secret}\n`, { mode: 0o600 });
      const { code, stderr } = await pbsCtl(['preflight', '--host', 'pbs01', '--config', lab.configPath]);
      expect(code).toBe(2);
      expect(stderr).toContain('holds more than a secret');
      expect(stderr).not.toContain(secret);
    }));
});

describe('a CA file that cannot be used', () => {
  const cases = ['patch', 'preflight', 'verify', 'windows', 'status', 'recover'].flatMap((command) =>
    (['hosts', 'clusters'] as const).map((kind) => [command, kind] as const),
  );
  it.each(cases)('ends %s with 2 before anything is asked, be it one of %s', (command, kind) =>
    withLab({}, async (lab) => {
      const name = kind === 'hosts' ? 'pbs01' : 'main';
      edit(lab, (config) => {
        const server = config[kind][name];
        if (server) server.tls = { caFile: '/nonexistent/ca.pem' };
      });
      const { code, document } = await pbsCtlJson<Failed>([
        ...[command, '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect({ code, error: document.error?.code }).toEqual({ code: 2, error: 'config.ca-file' });
      expect(document.error?.message).toContain(`${kind}.${name}.tls.caFile in ${lab.configPath}`);
      expect({ asked: lab.record.requests, runs: runsOnDisk(lab) }).toEqual({ asked: [], runs: [] });
    }));

  it('is also one whose certificates cannot be read', () =>
    withLab({}, async (lab) => {
      const caFile = join(lab.dir, 'ca.pem');
      writeFileSync(caFile, '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n');
      edit(lab, ({ hosts }) => {
        if (hosts.pbs01) hosts.pbs01.tls = { caFile };
      });
      const { code, document } = await pbsCtlJson<Failed>([
        ...['preflight', '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect({ code, error: document.error?.code }).toEqual({ code: 2, error: 'config.ca-file' });
    }));
});
