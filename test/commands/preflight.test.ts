import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import { CHECKS } from '../../src/checks/catalogue.js';
import type { Finding } from '../../src/journal/document.js';
import { start } from '../support/command.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { carrierTags, eventsOf, until, withLab } from '../support/lab.js';

interface Checked {
  readonly host: string;
  readonly ok: boolean;
  readonly checks: Finding[];
  readonly retryAfter: string | null;
}

describe('preflight', () => {
  it.concurrent('runs all 20 checks and answers 0 where it is safe', ({ expect }) =>
    withLab({}, async (lab) => {
      const { code, document } = await pbsCtlJson<Checked>([
        'preflight',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect(code).toBe(0);
      expect(document).toMatchObject({ host: 'pbs01', ok: true, retryAfter: null });
      expect(document.checks.map(({ id }) => id)).toEqual(CHECKS.map(({ id }) => id));
    }));

  it.concurrent('asks nothing but GETs and the probe through the agent, and nothing twice', ({ expect }) =>
    withLab({}, async (lab) => {
      await pbsCtl(['preflight', '--host', 'pbs01', '--config', lab.configPath]);
      const asked = lab.record.requests
        .filter(({ path }) => !path.endsWith('/exec-status'))
        .map(({ server, method, path, params }) => `${method} ${server}${path} ${JSON.stringify(params)}`);
      expect(asked.filter((each, index) => asked.indexOf(each) !== index)).toEqual([]);
      const others = lab.record.requests.filter(({ method }) => method !== 'GET').map(({ path }) => path);
      expect(new Set(others)).toEqual(new Set(['/nodes/pve1/qemu/900/agent/exec']));
    }));

  it.concurrent('says when a scheduled backup is over, and ends 75', ({ expect }) =>
    withLab({ scenario: 'backup-due-soon' }, async (lab) => {
      const { code, document } = await pbsCtlJson<Checked>([
        'preflight',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
      ]);
      expect({ code, ok: document.ok }).toEqual({ code: 75, ok: false });
      const blocks = document.checks.filter(({ status }) => status === 'block').map(({ id }) => id);
      expect(blocks).toEqual(['pve.schedule']);
    }));

  it.concurrent('ends 1 where the token is refused: waiting does not mend it', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.access.addToken('pbs-ctl@pbs!patch', 'another-secret');
      const { code, stdout } = await pbsCtl([
        'preflight',
        '--host',
        'pbs01',
        '--config',
        lab.configPath,
        '--json',
      ]);
      expect(code).toBe(1);
      expect((JSON.parse(stdout) as Checked).ok).toBe(false);
    }));
});

describe('verify', () => {
  it.concurrent('ends 0 on a healthy host and 3 on one that misses a datastore', ({ expect }) =>
    withLab({}, async (lab) => {
      const args = ['verify', '--host', 'pbs01', '--config', lab.configPath];
      expect((await pbsCtlJson<Checked>(args)).document.ok).toBe(true);
      const tank = lab.hosts.get('pbs01')?.datastores[0];
      if (tank) tank.error = 'unable to open chunk store';
      const { code, document } = await pbsCtlJson<Checked>(args);
      expect({ code, ok: document.ok }).toEqual({ code: 3, ok: false });
    }));

  it.concurrent('ends 1 where the token is refused: nothing was seen of the host', ({ expect }) =>
    withLab({}, async (lab) => {
      lab.hosts.get('pbs01')?.access.addToken('pbs-ctl@pbs!patch', 'another-secret');
      const args = ['verify', '--host', 'pbs01', '--config', lab.configPath];
      const { code, document } = await pbsCtlJson<Checked>(args);
      expect({ code, ok: document.ok }).toEqual({ code: 1, ok: false });
    }));
});

describe('lock', () => {
  const lock = (configPath: string, ...args: string[]) => ['lock', ...args, '--config', configPath];
  const on = (...args: string[]) => [...args, '--cluster', 'main'];

  it.concurrent('is acquired, shown, refused to others, and released', ({ expect }) =>
    withLab({}, async (lab) => {
      const taken = await pbsCtl(lock(lab.configPath, ...on('acquire', '--owner', 'pve-patching')));
      const run = taken.stdout.trim();
      expect({ code: taken.code, run }).toEqual({ code: 0, run: expect.stringMatching(/^[a-z0-9]{6}$/) });
      expect(carrierTags(lab)).toContain(`pbs-ctl-lock+pve-patching+${run}+`);

      const shown = await pbsCtlJson(lock(lab.configPath, ...on('show')));
      expect(shown.document).toMatchObject({
        cluster: 'main',
        held: true,
        owner: 'pve-patching',
        run,
        expired: false,
        store: 'guest-tag',
      });
      const other = await pbsCtl(lock(lab.configPath, ...on('acquire', '--owner', 'somebody')));
      expect(other.code).toBe(75);
      const wrong = await pbsCtl(lock(lab.configPath, ...on('release', '--owner', 'somebody')));
      expect(wrong.code).toBe(1);
      const right = await pbsCtl(
        lock(lab.configPath, ...on('release', '--owner', 'pve-patching', '--run', run)),
      );
      expect(right.code).toBe(0);
      const again = await pbsCtl(lock(lab.configPath, ...on('release', '--owner', 'pve-patching')));
      expect(again.code).toBe(0);
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent.for([
    ['acquire', '0'],
    ['hold', '1s'],
    ['acquire', '99999999d'],
  ] as const)('is not taken by %s for %s, and nothing is asked', ([verb, ttl], { expect }) =>
    withLab({}, async (lab) => {
      const { code, document } = await pbsCtlJson<{ error: { code: string; message: string } }>([
        ...lock(lab.configPath, ...on(verb, '--owner', 'first', '--ttl', ttl, '--json')),
        ...(verb === 'hold' ? ['--', 'true'] : []),
      ]);
      expect({ code, error: document.error.code }).toEqual({ code: 2, error: 'usage' });
      expect(document.error.message).toContain('a duration from 5s to 30d');
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent('is waited for with --wait', ({ expect }) =>
    withLab({}, async (lab) => {
      await pbsCtl(lock(lab.configPath, ...on('acquire', '--owner', 'first')));
      const waiting = pbsCtl(lock(lab.configPath, ...on('acquire', '--owner', 'second', '--wait', '30s')));
      await until('two looks at the tags', () => lab.record.requests.length > 8);
      await pbsCtl(lock(lab.configPath, ...on('release', '--owner', 'first')));
      expect((await waiting).code).toBe(0);
      expect(carrierTags(lab)).toContain('pbs-ctl-lock+second+');
    }));

  it.concurrent('is broken only with --yes', ({ expect }) =>
    withLab({ scenario: 'lock-expired' }, async (lab) => {
      const asked = await pbsCtl(lock(lab.configPath, ...on('break')));
      expect(asked.code).toBe(2);
      expect(carrierTags(lab)).toContain('pbs-ctl-lock+');
      const broken = await pbsCtl(lock(lab.configPath, ...on('break', '--yes')));
      expect({ code: broken.code, tags: carrierTags(lab) }).toEqual({ code: 0, tags: 'pbs' });
    }));

  it.concurrent('in the store "registered-tag" stands in the datacenter options', ({ expect }) =>
    withLab({}, async (lab) => {
      const { readFileSync, writeFileSync } = await import('node:fs');
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      config.clusters.main.lock = { store: 'registered-tag' };
      config.policy.requestTimeout = '3s';
      writeFileSync(lab.configPath, JSON.stringify(config));
      lab.cluster.registeredTags = ['prod'];
      lab.cluster.access.grant('/', ['Sys.Modify']);
      const taken = await pbsCtl(lock(lab.configPath, ...on('acquire', '--owner', 'pve-patching')));
      expect(taken.code).toBe(0);
      expect(lab.cluster.registeredTags.join(';')).toMatch(/pbs-ctl-lock\+pve-patching\+/);
      const released = await pbsCtl(lock(lab.configPath, ...on('release', '--owner', 'pve-patching')));
      expect({ code: released.code, tags: lab.cluster.registeredTags }).toEqual({ code: 0, tags: ['prod'] });
    }));
});

describe('lock hold', () => {
  const hold = (configPath: string, options: string[], ...command: string[]) => [
    'lock',
    'hold',
    '--cluster',
    'main',
    '--owner',
    'pve-patching',
    '--config',
    configPath,
    ...options,
    '--',
    ...command,
  ];

  it.concurrent('runs a program under the lock, answers with its exit code, and releases', ({ expect }) =>
    withLab({}, async (lab) => {
      const running = start(hold(lab.configPath, [], 'sh', '-c', 'read line; exit 7'), {}, 'pipe');
      await until('the lock', () => carrierTags(lab).includes('+pve-patching+'));
      running.type('go\n');
      expect((await running.ended).code).toBe(7);
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent('does not start the program while another holds the lock', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const { code, stdout } = await pbsCtl(hold(lab.configPath, [], 'echo', 'started'));
      expect({ code, stdout }).toEqual({ code: 75, stdout: '' });
    }));

  it.concurrent('renews the lock while the program runs', ({ expect }) =>
    withLab({}, async (lab) => {
      const running = start(hold(lab.configPath, ['--ttl', '9s'], 'sh', '-c', 'read line'), {}, 'pipe');
      await until('a renewal', () => eventsOf(lab, 'lock-tag-set').length > 2);
      running.type('go\n');
      expect((await running.ended).code).toBe(0);
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent('passes signals on, and releases when the program has ended', ({ expect }) =>
    withLab({}, async (lab) => {
      const script = "trap 'exit 9' TERM; echo ready; while :; do sleep 0.05; done";
      const running = start(hold(lab.configPath, [], 'sh', '-c', script), {}, 'pipe');
      await running.says('ready');
      running.kill('SIGTERM');
      expect((await running.ended).code).toBe(9);
      expect(carrierTags(lab)).toBe('pbs');
    }));

  it.concurrent('hands the program the environment, but no secret that the config names', ({ expect }) =>
    withLab({}, async (lab) => {
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      const secret = readFileSync(config.clusters.main.secret.file, 'utf8').trim();
      config.clusters.main.secret = { env: 'SECRET_OF_PVE' };
      writeFileSync(lab.configPath, JSON.stringify(config));
      const env = { SECRET_OF_PVE: secret, OTHER: 'stays' };
      const { stdout } = await start(hold(lab.configPath, [], 'env'), env).ended;
      expect(stdout).toContain('OTHER=stays');
      expect(stdout).toMatch(/^PBS_CTL_LOCK_RUN=/m);
      expect(stdout).not.toContain(secret);
    }));

  it.concurrent('says which program could not be started', ({ expect }) =>
    withLab({}, async (lab) => {
      const { code, stderr } = await pbsCtl(hold(lab.configPath, [], 'no-such-program-here'));
      expect(code).toBe(2);
      expect(stderr).toContain('"no-such-program-here" could not be started');
      expect(carrierTags(lab)).toBe('pbs');
    }));
});
