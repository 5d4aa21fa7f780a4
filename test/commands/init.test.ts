import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseConfig } from '../../src/config/load.js';
import type { Lab } from '../../src/lab/lab.js';
import { type Ended, readJson } from '../support/command.js';
import { pbsCtl, pbsCtlJson, start } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

const mode = (path: string) => (statSync(path).mode & 0o777).toString(8);
const written = (path: string) => parseConfig(readFileSync(path, 'utf8'), path);
const secretFile = (lab: Lab, name: string) => `file:${join(lab.dir, 'secrets', name)}`;
const firstNode = ({ cluster }: Lab) => {
  const [server] = cluster.servers;
  if (!server) throw new Error('the lab has no node');
  return server;
};

async function inFolder<Result>(act: (folder: string) => Promise<Result>): Promise<Result> {
  const folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-init-'));
  try {
    return await act(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

/** Options that answer everything in a lab. */
const all = (lab: Lab, output: string) => [
  ...['init', '--defaults', '--output', output],
  ...['--pve', firstNode(lab).url, '--fingerprint', firstNode(lab).fingerprint],
  ...['--pve-secret', secretFile(lab, 'pve'), '--pbs-secret', secretFile(lab, 'pbs')],
];

/** Answers that come from a pipe, all of them at once. */
async function answering(args: readonly string[], answers: readonly string[]): Promise<Ended> {
  const running = start(args, {}, 'pipe');
  running.type(answers.map((answer) => `${answer}\n`).join(''));
  return running.ended;
}

describe('init', () => {
  it('finds PBS hosts, their VMs and their fingerprints by the cluster, and writes a config that doctor finds well', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'new', 'config.json');
        const { code, stdout } = await pbsCtl(all(lab, path));
        expect({ code, mode: mode(path) }).toEqual({ code: 0, mode: '600' });
        const { hosts, clusters } = written(path);
        expect(Object.keys(hosts)).toEqual(['pbs01', 'pbs02']);
        expect(hosts.pbs01).toMatchObject({
          endpoint: lab.hosts.get('pbs01')?.server.url,
          guest: { cluster: 'main', vmid: 900 },
          tls: { fingerprints: [lab.hosts.get('pbs01')?.server.fingerprint] },
          secret: { file: join(lab.dir, 'secrets', 'pbs') },
        });
        expect(clusters.main?.token).toBe('pbs-ctl@pve!patch');
        expect(stdout).toContain('all well');
        for (const secret of lab.secrets) expect(readFileSync(path, 'utf8') + stdout).not.toContain(secret);
        expect((await pbsCtl(['preflight', '--host', 'pbs01', '--config', path])).code).toBe(0);
      }),
    ));

  it('prints the commands that make users, roles and tokens, with every datastore that it found', () =>
    withLab({ pve: '8.4' }, (lab) =>
      inFolder(async (folder) => {
        const { stdout } = await pbsCtl(all(lab, join(folder, 'config.json')));
        expect(stdout).toContain('pveum user token add pbs-ctl@pve patch -privsep 1');
        expect(stdout).toContain('pveum role add PbsCtlVM -privs "VM.Audit VM.Config.Options VM.Monitor"');
        expect(stdout).toContain('pveum acl modify /vms/901 $who -role PbsCtlAudit,PbsCtlVM');
        expect(stdout).toContain('proxmox-backup-manager user generate-token pbs-ctl@pbs patch');
        expect(stdout).toContain('acl update /datastore/vault DatastoreAdmin');
        expect(stdout).not.toContain('GuestAgent');
      }),
    ));

  it('answers with one document, the findings of doctor in it', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        const { code, document } = await pbsCtlJson<{
          config: string;
          commands: object[];
          doctor: { ok: boolean };
        }>(all(lab, path));
        expect(code).toBe(0);
        expect(document).toMatchObject({ config: path, doctor: { ok: true } });
        expect(document.commands).toHaveLength(3);
      }),
    ));

  it('takes its answers from a pipe, and writes the secrets that it is given into files of their own', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        const [pveSecret = '', pbsSecret = ''] = ['pve', 'pbs'].map((name) =>
          readFileSync(join(lab.dir, 'secrets', name), 'utf8').trim(),
        );
        const { code, stdout, stderr } = await answering(
          ['init', '--output', path],
          [
            ...['prod', firstNode(lab).url.replace('https://', ''), 'y', '', '', pveSecret],
            ...['y', 'n'],
            ...['', '', '', pbsSecret],
            secretFile(lab, 'slack'),
          ],
        );
        expect({ code, stderr }).toEqual({
          code: 0,
          stderr: expect.stringContaining(firstNode(lab).fingerprint),
        });
        const { clusters, hosts, notify } = written(path);
        expect(Object.keys(clusters)).toEqual(['prod']);
        expect(Object.keys(hosts)).toEqual(['pbs01']);
        expect(hosts.pbs01?.secret).toEqual({ file: join(folder, 'pbs01.secret') });
        expect(notify.slack?.webhook).toEqual({ file: join(lab.dir, 'secrets', 'slack') });
        expect(mode(join(folder, 'pbs01.secret'))).toBe('600');
        expect(readFileSync(join(folder, 'prod.secret'), 'utf8').trim()).toBe(pveSecret);
        // The token may also act on the VM of the host that was declined.
        expect(stdout).toContain('ready to run; 1 thing to look at');
        for (const secret of [pveSecret, pbsSecret]) expect(stdout + stderr).not.toContain(secret);
      }),
    ));

  it('sends no token to a server whose fingerprint no one has confirmed, and writes nothing', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        const refused = await pbsCtlJson<{ error: { code: string; hint: string } }>([
          ...['init', '--defaults', '--output', path, '--pve', firstNode(lab).url],
          ...['--pve-secret', secretFile(lab, 'pve')],
        ]);
        expect(refused).toMatchObject({ code: 1, document: { error: { code: 'init.untrusted' } } });
        expect(refused.document.error.hint).toContain(firstNode(lab).fingerprint);
        const declined = await answering(['init', '--output', path], ['main', firstNode(lab).url, 'n']);
        expect(declined.code).toBe(1);
        expect(lab.record.requests).toEqual([]);
        expect(existsSync(path)).toBe(false);
      }),
    ));

  it('warns when the cluster pins another fingerprint for a PBS, and asks', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const other = `${'ab:'.repeat(31)}ab`;
        for (const [index, storage] of lab.cluster.storages.entries())
          lab.cluster.storages[index] = { ...storage, fingerprint: other };
        const { code, stderr } = await pbsCtl(all(lab, join(folder, 'config.json')));
        expect(code).toBe(1);
        expect(stderr).toContain('Careful: storage pbs01-tank of the cluster pins a different one');
      }),
    ));

  it('overwrites nothing without being told to', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        writeFileSync(path, 'precious');
        expect(await pbsCtlJson(all(lab, path))).toMatchObject({
          code: 2,
          document: { error: { code: 'init.exists' } },
        });
        expect((await answering(['init', '--output', path], ['n'])).code).toBe(2);
        expect(readFileSync(path, 'utf8')).toBe('precious');
        expect((await pbsCtl([...all(lab, path), '--force'])).code).toBe(0);
        expect(mode(path)).toBe('600');
      }),
    ));

  it('writes a config also before there is any token, and says what is missing', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const path = join(folder, 'config.json');
        const host = lab.hosts.get('pbs01');
        const { code, stdout } = await pbsCtl([
          ...['init', '--defaults', '--output', path, '--pve', firstNode(lab).url],
          ...['--pbs', `backup=${host?.server.url}`, '--guest', 'backup=900'],
          ...['--fingerprint', firstNode(lab).fingerprint, '--fingerprint', host?.server.fingerprint ?? ''],
          ...['--pve-secret', 'env:NOT_THERE_PVE', '--pbs-secret', 'file:/nowhere/{host}.secret'],
        ]);
        expect(code).toBe(0);
        expect(written(path).hosts.backup?.secret).toEqual({ file: '/nowhere/backup.secret' });
        expect(stdout).toContain('read -rs NOT_THERE_PVE && export NOT_THERE_PVE');
        expect(stdout).toMatch(/VM\.GuestAgent\.Unrestricted.*# PVE 9/);
        expect(stdout).toMatch(/VM\.Monitor.*# PVE 8/);
      }),
    ));

  it.each([
    ['an input that is at its end from the start', ''],
    ['an input that ends between two questions', 'main\n'],
  ])('names the first question that %s leaves open, in one document', (_, answers) =>
    inFolder(async (folder) => {
      const running = start(['init', '--json', '--output', join(folder, 'config.json')], {}, 'pipe');
      running.end(answers);
      const { code, document } = await readJson<{ error: { code: string; hint: string } }>(running.ended);
      expect({ code, error: document.error }).toMatchObject({ code: 2, error: { code: 'usage.unanswered' } });
      expect(document.error.hint).toContain('--pve');
    }));

  it.each([
    ['--cluster', 'Not A Name'],
    ['--pve', 'http://pve1'],
    ['--pve-token', 'no-token'],
  ])('refuses %s with a value that the config would not take, before it asks anything', async (option, value) => {
    const { code, document } = await pbsCtlJson<{ error: { code: string; message: string } }>([
      ...['init', '--defaults', '--output', '/nowhere/x.json', option, value],
    ]);
    expect({ code, error: document.error.code }).toEqual({ code: 2, error: expect.stringMatching(/^usage/) });
  });

  it('does not repeat a secret that was given in place of where it is', () =>
    withLab({}, (lab) =>
      inFolder(async (folder) => {
        const { code, stdout, stderr } = await pbsCtl([
          ...['init', '--defaults', '--output', join(folder, 'x.json')],
          ...['--pve', firstNode(lab).url, '--fingerprint', firstNode(lab).fingerprint],
          ...['--pve-secret', '86a50ffb-369b'],
        ]);
        expect(code).toBe(2);
        expect(stdout + stderr).not.toContain('86a50ffb');
      }),
    ));

  it('names the option that answers a question that no one answers', async () => {
    const { code, document } = await pbsCtlJson<{ error: { code: string; hint: string } }>([
      'init',
      '--defaults',
      '--output',
      '/nowhere/x.json',
    ]);
    expect(code).toBe(2);
    expect(document.error.code).toBe('usage.unanswered');
    expect(document.error.hint).toContain('--pve');
  });
});
