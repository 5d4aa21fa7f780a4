import { readFileSync, writeFileSync } from 'node:fs';
import { describe, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import { pbsCtl, pbsCtlJson, start } from '../support/in-process.js';
import { carrierTags, eventsOf, until, withLab } from '../support/lab.js';

interface Windows {
  readonly host: string;
  readonly timezone: string;
  readonly busy: Array<{ start: string; end: string; source: string; label: string; estimated: boolean }>;
  readonly free: Array<{ start: string; end: string }>;
  readonly next: { start: string; end: string } | null;
}
const ask = (configPath: string, ...more: string[]) =>
  pbsCtlJson<Windows>(['windows', '--host', 'pbs01', '--config', configPath, ...more]);

describe('windows', () => {
  it.concurrent('tells when jobs run, and offers only times that touch none of them', ({ expect }) =>
    withLab({}, async (lab) => {
      const { code, document } = await ask(lab.configPath);
      expect(code).toBe(0);
      const labels = new Set(document.busy.map(({ label }) => label));
      expect([...labels]).toEqual(
        expect.arrayContaining(['backup backup-nightly', 'verify v-pbs01', 'garbage-collection tank']),
      );
      expect(labels).not.toContain('backup backup-pbs02');
      expect(document.busy.every(({ estimated }) => estimated)).toBe(true);
      expect(document.free.length).toBeGreaterThan(0);
      for (const slot of document.free)
        for (const busy of document.busy) expect(slot.end <= busy.start || slot.start >= busy.end).toBe(true);
      expect(document.next?.start).toBe(document.free[0]?.start);
    }));

  it.concurrent('asks PVE nothing twice of the same schedule', ({ expect }) =>
    withLab({}, async (lab) => {
      for (let index = 0; index < 40; index += 1)
        lab.cluster.jobs.push({
          id: `job${index}`,
          schedule: index % 2 ? 'sat 02:00' : 'sun 02:00',
          enabled: true,
          storage: 'pbs01-tank',
          all: true,
        });
      await ask(lab.configPath);
      const asked = lab.record.requests.filter(
        ({ path, params }) =>
          path === '/cluster/jobs/schedule-analyze' && String(params.schedule).endsWith(' 02:00'),
      );
      // By the check of what is due, and for the timeline.
      expect(new Set(asked.map(({ params }) => JSON.stringify(params))).size).toBe(asked.length);
      expect(asked).toHaveLength(4);
    }));

  it.concurrent('is a timeline, a row a day, also where it is piped', ({ expect }) =>
    withLab({}, async (lab) => {
      const { stdout } = await pbsCtl(['windows', '--host', 'pbs01', '--config', lab.configPath]);
      expect(stdout).toMatch(
        /^pbs01: a whole run fits (now|at \w{3} \d{4}-\d\d-\d\d \d\d:\d\d [+-]\d\d:\d\d) /,
      );
      const days = stdout.split('\n').filter((line) => /^ {2}\w{3} \d\d \w{3} {2}[ █─·]{48}$/.test(line));
      expect(days.length).toBeGreaterThanOrEqual(4);
    }));

  it.concurrent('names what runs now, and no time for a run', ({ expect }) =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      const { document } = await ask(lab.configPath);
      expect(document.next).toBeNull();
      expect(document.busy).toContainEqual(
        expect.objectContaining({ label: expect.stringContaining('backup of tank:vm/101 is running') }),
      );
    }));

  // Case 52.
  it.concurrent('a job that leaves no room is named by windows and preflight, and a wait for it ends at once', ({
    expect,
  }) =>
    withLab({}, async (lab) => {
      lab.cluster.jobs.push({
        id: 'backup-db',
        schedule: '*:00/15',
        enabled: true,
        storage: 'pbs01-tank',
        vmid: '101',
      });
      const config = JSON.parse(readFileSync(lab.configPath, 'utf8'));
      config.policy = { ...config.policy, maintenanceDuration: '30m', backupMargin: '15m' };
      writeFileSync(lab.configPath, JSON.stringify(config));
      const why = /no gap of 45 minutes in the next 14 days: backup backup-db \(every 15 min\)/;
      const piped = await pbsCtl(['windows', '--host', 'pbs01', '--config', lab.configPath]);
      expect(piped.stdout.replace(/\s+/g, ' ')).toMatch(why);
      const { code, document } = await pbsCtlJson<RunDocument>([
        ...['patch', '--host', 'pbs01', '--wait', '12h', '--config', lab.configPath],
      ]);
      expect({ code, schedule: document.checks.find(({ id }) => id === 'pve.schedule') }).toMatchObject({
        code: 75,
        schedule: { status: 'block', summary: expect.stringMatching(why) },
      });
      expect(document.retryAfter).toBeNull();
    }));

  it.concurrent('refuses hours that are none', async ({ expect }) =>
    withLab({}, async (lab) => {
      const { code } = await pbsCtl([
        'windows',
        '--host',
        'pbs01',
        '--hours',
        'soon',
        '--config',
        lab.configPath,
      ]);
      expect(code).toBe(2);
    }));
});

describe('patch --wait', () => {
  const patch = (configPath: string, ...more: string[]) => [
    'patch',
    '--host',
    'pbs01',
    '--json',
    '--config',
    configPath,
    ...more,
  ];

  it.concurrent('waits until a backup has ended, and only then takes the lock', ({ expect }) =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      const running = start(patch(lab.configPath, '--wait', '60s'));
      await running.says('waiting');
      expect(carrierTags(lab)).toBe('pbs');
      for (const task of lab.hosts.get('pbs01')?.tasks ?? []) task.endedAt = task.startedAt + 1;
      for (const task of lab.cluster.tasks) task.endedAt = task.startedAt + 1;
      const { code, stdout } = await running.ended;
      expect({ code, outcome: (JSON.parse(stdout) as RunDocument).outcome }).toEqual({
        code: 0,
        outcome: 'patched',
      });
    }));

  it.concurrent('is postponed when the time is over', ({ expect }) =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      const { code, document } = await pbsCtlJson<RunDocument>(
        patch(lab.configPath, '--wait', '1s').filter((each) => each !== '--json'),
      );
      expect({ code, outcome: document.outcome }).toEqual({ code: 75, outcome: 'postponed' });
    }));

  it.concurrent('ends 130 at a signal, with nothing changed', ({ expect }) =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      const running = start(patch(lab.configPath, '--wait', '60s'));
      await running.says('waiting');
      await until('a second look', () => lab.record.requests.length > 60);
      running.kill('SIGINT');
      expect((await running.ended).code).toBe(130);
      expect(eventsOf(lab, 'lock-tag-set')).toEqual([]);
    }));
});
