import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import type { SetupFinding } from '../../src/setup/finding.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

interface Report {
  readonly ok: boolean;
  readonly findings: SetupFinding[];
}
const doctor = async ({ configPath }: Lab, ...more: string[]) => {
  const { code, document, stdout, stderr } = await pbsCtlJson<Report>([
    'doctor',
    '--config',
    configPath,
    ...more,
  ]);
  const find = (subject: string, topic: string) =>
    document.findings.find((each) => each.subject === subject && each.topic === topic);
  const fix = (subject: string, topic: string) =>
    (find(subject, topic)?.fixes ?? []).map(({ where, commands }) => `${where}: ${commands.join(' && ')}`);
  return { code, ...document, find, fix, output: stdout + stderr };
};
const inDays = (days: number) => Math.floor(Date.now() / 1000) + days * 86_400;

/** Changes the config of a lab as its owner would with an editor. */
function edit<Config>({ configPath }: Lab, change: (config: Config) => void): void {
  const config = JSON.parse(readFileSync(configPath, 'utf8')) as Config;
  change(config);
  writeFileSync(configPath, JSON.stringify(config));
}
const pbs01 = (lab: Lab) => {
  const host = lab.hosts.get('pbs01');
  if (!host) throw new Error('the lab has no pbs01');
  return host;
};

describe('doctor', () => {
  it('finds nothing to fix in a lab that is set up as the README says, changes nothing and posts nothing', () =>
    withLab({}, async (lab) => {
      const { code, ok, findings, output } = await doctor(lab);
      expect(findings.filter(({ status }) => status !== 'pass')).toEqual([]);
      expect({ code, ok }).toEqual({ code: 0, ok: true });
      expect(lab.slack.messages).toEqual([]);
      expect(lab.record.requests.filter(({ method }) => method === 'PUT' || method === 'DELETE')).toEqual([]);
      for (const secret of lab.secrets) expect(output).not.toContain(secret);
      const text = await pbsCtl(['doctor', '--config', lab.configPath]);
      expect(text.stdout).toContain('all well');
      for (const line of text.stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
    }));

  it('looks at one host and its clusters when one is named', () =>
    withLab({}, async (lab) => {
      const { findings } = await doctor(lab, '--host', 'pbs02');
      expect(findings.every(({ status }) => status === 'pass')).toBe(true);
      expect((await doctor(lab, '--host', 'pbs01')).find('cluster main', 'excess')?.status).toBe('pass');
      const subjects = new Set(findings.map(({ subject }) => subject));
      expect([...subjects]).toEqual(['controller', 'cluster main', 'host pbs02', 'notify']);
    }));

  it('prints the commands that grant what a token lacks, on both sides', () =>
    withLab({}, async (lab) => {
      lab.cluster.access.deny('/vms/900', 'VM.Config.Options');
      pbs01(lab).access.deny('/datastore/vault', 'Datastore.Modify');
      const { code, find, fix } = await doctor(lab);
      expect(code).toBe(1);
      expect(find('host pbs01', 'pve.access')?.summary).toBe(
        'VM.Config.Options on /vms/900 is missing (to set the lock tag)',
      );
      expect(fix('host pbs01', 'pve.access').join()).toContain(
        "for who in '-user pbs-ctl@pve' '-token pbs-ctl@pve!patch'; do pveum acl modify /vms/900 $who -role PbsCtlAudit,PbsCtlVM; done",
      );
      expect(fix('host pbs01', 'pbs.access').join()).toContain(
        `for id in 'pbs-ctl@pbs' 'pbs-ctl@pbs!patch'; do proxmox-backup-manager acl update /datastore/vault DatastoreAdmin --auth-id "$id"; done`,
      );
      expect(find('host pbs02', 'pbs.access')?.status).toBe('pass');
    }));

  it('grants with the privileges that the version of PVE knows', () =>
    withLab({ pve: '8.4' }, async (lab) => {
      lab.cluster.access.deny('/vms/900', 'VM.Monitor');
      const { fix } = await doctor(lab);
      const commands = fix('host pbs01', 'pve.access').join();
      expect(commands).toContain('pveum role add PbsCtlVM -privs "VM.Audit VM.Config.Options VM.Monitor"');
      expect(commands).not.toContain('GuestAgent');
    }));

  it('warns of a token that may do more than it needs', () =>
    withLab({}, async (lab) => {
      lab.cluster.access.grant('/', ['VM.Allocate', 'Permissions.Modify']);
      lab.cluster.access.changeToken('pbs-ctl@pve!patch', { privsep: false });
      pbs01(lab).access.grant('/', ['Sys.Modify', 'Permissions.Modify']);
      const { code, find, fix } = await doctor(lab);
      expect(code).toBe(0);
      expect(find('cluster main', 'excess')).toMatchObject({
        status: 'warn',
        summary: expect.stringContaining('Permissions.Modify, VM.Allocate on / and below'),
      });
      expect(fix('cluster main', 'excess')[0]).toMatch(/pveum user token modify .* -privsep 1/);
      expect(find('host pbs01', 'excess')?.summary).toContain(
        'Permissions.Modify, Sys.Modify on / and below',
      );
      expect(fix('host pbs01', 'excess').join()).toContain(
        'acl update / Admin --auth-id "$id" --propagate false',
      );
    }));

  it('says which jobs could not be seen', () =>
    withLab({}, async (lab) => {
      pbs01(lab).access.deny('/remote', 'Remote.Audit');
      const { find } = await doctor(lab);
      expect(find('host pbs01', 'pbs.access')).toMatchObject({
        status: 'warn',
        summary: expect.stringContaining(
          'Remote.Audit on /remote is missing (to see sync jobs with a remote)',
        ),
      });
    }));

  it('tells when a token ends, on both sides', () =>
    withLab({}, async (lab) => {
      lab.cluster.access.changeToken('pbs-ctl@pve!patch', { expire: inDays(5) });
      pbs01(lab).access.changeToken('pbs-ctl@pbs!patch', { expire: inDays(400) });
      const { code, find, fix } = await doctor(lab);
      expect(code).toBe(0);
      expect(find('cluster main', 'token')).toMatchObject({
        status: 'warn',
        summary: expect.stringMatching(/ it ends at \d{4}-\d\d-\d\d \d\d:\d\d UTC \(in [45]d \d+h\)$/),
      });
      expect(fix('cluster main', 'token')).toEqual([
        'a node of main: pveum user token modify pbs-ctl@pve patch -expire 0',
      ]);
      expect(find('host pbs01', 'token')).toMatchObject({
        status: 'pass',
        detail: { expiresAt: expect.any(String) },
      });
    }));

  it('prints for a refused token what keeps its privileges, on both sides', () =>
    withLab({}, async (lab) => {
      for (const name of ['pve', 'pbs']) writeFileSync(join(lab.dir, 'secrets', name), 'wrong\n');
      const { code, fix } = await doctor(lab, '--host', 'pbs01');
      expect(code).toBe(1);
      const pve = fix('cluster main', 'token');
      expect(pve.slice(0, 4)).toEqual([
        'a node of main: pveum user list && pveum user token list pbs-ctl@pve',
        'a node of main, where the user is disabled or has expired: pveum user modify pbs-ctl@pve -enable 1 -expire 0',
        'a node of main, where the token has expired: pveum user token modify pbs-ctl@pve patch -expire 0',
        'a node of main, for a new secret, from PVE 9.2 on: pveum user token modify pbs-ctl@pve patch --regenerate 1',
      ]);
      expect(pve[4]).toMatch(
        /^a node of main, for a new secret, before PVE 9\.2, .*: pveum user token remove pbs-ctl@pve patch && pveum user token add pbs-ctl@pve patch -privsep 1 && .* pveum acl modify \/vms\/900 /,
      );
      expect(fix('host pbs01', 'token')).toEqual([
        'pbs01: proxmox-backup-manager user list && proxmox-backup-manager user list-tokens pbs-ctl@pbs',
        'pbs01, where the user is disabled or has expired: proxmox-backup-manager user update pbs-ctl@pbs --enable 1 --expire 0',
        'pbs01, where the token is disabled or has expired: proxmox-backup-debug api set /access/users/pbs-ctl@pbs/token/patch --enable 1 --expire 0',
        'pbs01, for a new secret: proxmox-backup-debug api set /access/users/pbs-ctl@pbs/token/patch --regenerate 1',
        'pbs01, where the token is missing: proxmox-backup-manager user generate-token pbs-ctl@pbs patch',
      ]);
    }));

  it('names a secret that is wrong, missing, or open to others, and looks at the rest all the same', () =>
    withLab({}, async (lab) => {
      writeFileSync(join(lab.dir, 'secrets', 'pve'), 'wrong\n');
      chmodSync(join(lab.dir, 'secrets', 'pbs'), 0o644);
      edit(lab, (config: { hosts: { pbs02: { secret: object } } }) => {
        config.hosts.pbs02.secret = { env: 'NOT_THERE' };
      });
      const { code, find, fix } = await doctor(lab);
      expect(code).toBe(1);
      expect(find('cluster main', 'token')?.detail.error).toBe('api.unauthorized');
      expect(fix('host pbs01', 'secret')).toEqual([
        `controller: chmod 600 ${join(lab.dir, 'secrets', 'pbs')}`,
      ]);
      expect(fix('host pbs02', 'secret')).toEqual(['controller: read -rs NOT_THERE && export NOT_THERE']);
      expect(find('host pbs01', 'guest.agent')?.status).toBe('skip');
      expect(find('host pbs02', 'tls')?.status).toBe('pass');
    }));

  it('shows both fingerprints of a certificate that has changed, and where the new one belongs', () =>
    withLab({}, async (lab) => {
      const other = `${'AA:'.repeat(31)}AA`;
      edit(lab, (config: { hosts: { pbs01: { tls: object } } }) => {
        config.hosts.pbs01.tls = { fingerprints: [other] };
      });
      const { code, find, fix } = await doctor(lab);
      const seen = pbs01(lab).server.fingerprint;
      expect(code).toBe(1);
      expect(find('host pbs01', 'tls')?.summary).toContain(`seen ${seen}, expected fingerprint ${other}`);
      expect(fix('host pbs01', 'tls')[0]).toBe('pbs01: proxmox-backup-manager cert info | grep Fingerprint');
      expect(fix('host pbs01', 'tls')[1]).toContain(`.hosts["pbs01"].tls.fingerprints`);
      expect(lab.record.requests.some(({ server }) => server === 'pbs01')).toBe(false);
    }));

  it('says that a server cannot be reached, once, and not what follows from it', () =>
    withLab({}, async (lab) => {
      pbs01(lab).server.goDark('refuse');
      const { code, findings } = await doctor(lab, '--host', 'pbs01');
      expect(code).toBe(1);
      expect(findings.filter(({ status }) => status === 'block').map(({ topic }) => topic)).toEqual(['tls']);
    }));

  it('names what to do in the guest when its agent does not run, or refuses commands', () =>
    withLab({ scenario: 'agent-down' }, async (lab) => {
      const down = await doctor(lab, '--host', 'pbs01');
      expect(down.code).toBe(1);
      expect(down.fix('host pbs01', 'guest.agent')).toEqual([
        'in VM 900: apt install qemu-guest-agent && systemctl start qemu-guest-agent',
      ]);
      Object.assign(pbs01(lab).machine.agent, { down: false, execAllowed: false });
      const blocked = await doctor(lab, '--host', 'pbs01');
      expect(blocked.fix('host pbs01', 'guest.agent')[0]).toMatch(
        /^in VM 900: for file in .* systemctl restart qemu-guest-agent$/,
      );
    }));

  it('switches the agent on in the config of the VM', () =>
    withLab({}, async (lab) => {
      delete lab.cluster.guests.get(900)?.config.agent;
      const { fix } = await doctor(lab, '--host', 'pbs01');
      expect(fix('host pbs01', 'guest.agent')).toEqual([
        'in VM 900: apt install qemu-guest-agent',
        'pve1: qm set 900 --agent 1 && qm shutdown 900 && qm start 900',
      ]);
    }));

  it('names a guest for the lock tag that does not exist, and a lock that was left', () =>
    withLab({ scenario: 'lock-expired' }, async (lab) => {
      const left = await doctor(lab);
      expect(left.code).toBe(0);
      expect(left.find('host pbs01', 'lock.available')).toMatchObject({
        status: 'warn',
        summary: expect.stringContaining('left by "pve-patching"'),
      });
      expect(left.fix('host pbs01', 'lock.available')).toEqual([
        'controller: pbs-ctl lock break --cluster main --yes',
      ]);
      edit(lab, (config: { clusters: { main: { lock?: object } } }) => {
        config.clusters.main.lock = { vmid: 4711 };
      });
      const missing = await doctor(lab);
      expect(missing.code).toBe(1);
      expect(missing.find('host pbs01', 'lock.available')?.summary).toContain('guest 4711');
    }));

  it('takes a lock that a run holds at the moment for no matter of set-up', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const { code, find } = await doctor(lab);
      expect(code).toBe(0);
      expect(find('host pbs01', 'lock.available')).toMatchObject({
        status: 'pass',
        summary: expect.stringContaining('at the moment'),
      });
    }));

  it('says that only administrators may set tags, with the command that changes it', () =>
    withLab({}, async (lab) => {
      const options = lab.cluster.routes.find(({ path }) => path === '/cluster/options');
      const answer = options?.handle;
      if (!options || !answer) throw new Error('the lab has no such route');
      const handle: typeof answer = async (request) => ({
        ...((await answer(request)) as object),
        'user-tag-access': { 'user-allow': 'none' },
      });
      Object.assign(options, { handle });
      const { code, find, fix } = await doctor(lab);
      expect(code).toBe(1);
      expect(find('cluster main', 'tags')?.summary).toContain('only administrators may set tags');
      expect(fix('cluster main', 'tags').join()).toContain('--user-tag-access user-allow=free');
    }));

  it('finds that Slack does not know the webhook, without posting to one that it knows', () =>
    withLab({}, async (lab) => {
      const file = join(lab.dir, 'secrets', 'slack');
      const url = readFileSync(file, 'utf8').trim();
      writeFileSync(file, `${url}x`);
      const { code, find, output } = await doctor(lab);
      expect(code).toBe(1);
      expect(find('notify', 'slack')?.summary).toContain('(404 no_service)');
      expect(output).not.toContain(url);
    }));

  it('ends with 2 for a config that cannot be used', () =>
    withLab({}, async (lab) => {
      const unknown = await pbsCtlJson<{ error: { code: string } }>([
        'doctor',
        '--config',
        lab.configPath,
        '--host',
        'x',
      ]);
      expect(unknown).toMatchObject({ code: 2, document: { error: { code: 'config.unknown-host' } } });
      writeFileSync(lab.configPath, '{"clusters":{}}');
      const invalid = await pbsCtlJson<{ error: { code: string } }>(['doctor', '--config', lab.configPath]);
      expect(invalid).toMatchObject({ code: 2, document: { error: { code: 'config.invalid' } } });
    }));
});
