import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { RunDocument } from '../../src/journal/document.js';
import type { Lab } from '../../src/lab/lab.js';
import type { HostStatus } from '../../src/report/status-text.js';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { eventsOf, withLab } from '../support/lab.js';

const patch = (lab: Lab, ...more: string[]) => [
  'patch',
  '--host',
  'pbs01',
  '--config',
  lab.configPath,
  ...more,
];
const titles = (lab: Lab) => lab.slack.messages.map((message) => (message as { text: string }).text);

/** As if everything so far had happened so many days earlier. */
function backdate(lab: Lab, days: number): void {
  const runs = join(lab.dir, 'state', 'runs');
  const move = (text: string) =>
    text.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, (time) =>
      new Date(Date.parse(time) - days * 86_400_000).toISOString(),
    );
  for (const run of readdirSync(runs)) {
    for (const name of readdirSync(join(runs, run))) {
      const file = join(runs, run, name);
      writeFileSync(file, move(readFileSync(file, 'utf8')));
    }
  }
}

describe('a host that is postponed again and again', () => {
  it('is told by status, with how often and since when', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      expect((await pbsCtl(patch(lab))).code).toBe(75);
      expect((await pbsCtl(patch(lab))).code).toBe(75);
      // The second says the same within a day.
      expect(titles(lab)).toHaveLength(1);
      const { document } = await pbsCtlJson<{ hosts: HostStatus[] }>([
        ...['status', '--host', 'pbs01', '--config', lab.configPath],
      ]);
      expect(document.hosts[0]?.postponed).toEqual({
        count: 2,
        since: expect.any(String),
        checks: ['lock.available'],
      });
      backdate(lab, 8);
      await pbsCtl(patch(lab));
      await pbsCtl(patch(lab));
      const text = await pbsCtl(['status', '--host', 'pbs01', '--config', lab.configPath]);
      expect(text.stdout.replace(/\s+/g, ' ')).toMatch(
        /postponed 4 times in a row, since [^,]+, the last time by lock\.available/,
      );
    }));
});

describe('patch --ignore-window', () => {
  it('runs although a backup job is due, and says so in journal, report and Slack', () =>
    withLab({ scenario: 'backup-due-soon' }, async (lab) => {
      expect((await pbsCtl(patch(lab))).code).toBe(75);
      const { code, document } = await pbsCtlJson<RunDocument>(
        patch(lab, '--ignore-window', 'CVE-2026-1, agreed'),
      );
      expect(code).toBe(0);
      expect(document.outcome).toBe('patched');
      expect(document.warnings).toContain('window, blackouts and schedules are ignored: CVE-2026-1, agreed');
      expect(document.checks.find(({ id }) => id === 'pve.schedule')).toMatchObject({
        status: 'warn',
        summary: expect.stringContaining('ignored: CVE-2026-1, agreed'),
      });
      expect(JSON.stringify(lab.slack.messages.at(-1))).toContain('CVE-2026-1, agreed');
    }));

  it('overrides no running task, and wants a reason', () =>
    withLab({ scenario: 'backup-running' }, async (lab) => {
      expect((await pbsCtl(patch(lab, '--ignore-window', 'in a hurry'))).code).toBe(75);
      expect((await pbsCtl(patch(lab, '--ignore-window', '  '))).code).toBe(2);
      expect(eventsOf(lab, 'reboot')).toEqual([]);
    }));
});

describe('a message that Slack did not take', () => {
  it.concurrent('is a warning, in the report of the run and whenever it is read later', ({ expect }) =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      lab.slack.status = 404;
      const config = ['--config', lab.configPath];
      const { code, document } = await pbsCtlJson<RunDocument>(['patch', '--host', 'pbs01', ...config]);
      expect({ code, outcome: document.outcome }).toEqual({ code: 75, outcome: 'postponed' });
      expect(document.warnings).toEqual([expect.stringContaining('Slack')]);
      const later = await pbsCtlJson<RunDocument>(['report', document.runId, '--format', 'json', ...config]);
      expect(later.document.warnings).toEqual(document.warnings);
      expect(later.document.finishedAt).toBe(document.finishedAt);
    }));
});
