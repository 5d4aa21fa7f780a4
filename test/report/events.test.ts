import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { pbsCtl, pbsCtlJson } from '../support/in-process.js';
import { withLab } from '../support/lab.js';

interface Line {
  readonly v: number;
  readonly time: string;
  readonly host: string;
  readonly event: string;
  readonly [field: string]: unknown;
}
const lines = (text: string) =>
  text
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Line);
const patch = (configPath: string, ...more: string[]) => [
  'patch',
  '--host',
  'pbs01',
  '--config',
  configPath,
  ...more,
];

describe('patch --events', () => {
  it('tells the whole run as JSON lines, beside the one document of --json', () =>
    withLab({}, async (lab) => {
      const file = join(lab.dir, 'events.jsonl');
      const { code, document, stderr } = await pbsCtlJson<{ runId: string }>(
        patch(lab.configPath, '--events', file, '--quiet'),
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      const events = lines(readFileSync(file, 'utf8'));
      expect(events[0]).toMatchObject({ event: 'begun', runId: document.runId, resumed: false });
      expect(events.at(-1)).toMatchObject({ event: 'ended', outcome: 'patched', exitCode: 0 });
      for (const { v, host, time } of events)
        expect([v, host, new Date(time).toISOString()]).toEqual([1, 'pbs01', time]);
      const done = events.filter(({ event, status }) => event === 'phase' && status === 'done');
      expect(done.map(({ phase }) => phase)).toEqual(
        'preflight lock recheck fence drain refresh upgrade reboot wait verify unfence unlock'.split(' '),
      );
      expect(events.some(({ event, percent }) => event === 'step' && typeof percent === 'number')).toBe(true);
      const kinds = new Set(events.map(({ event }) => event));
      const documented = readFileSync('docs/events.md', 'utf8');
      for (const kind of kinds) expect(documented).toContain(`\`${kind}\``);
      expect(statSync(file).mode & 0o777).toBe(0o600);
      for (const secret of lab.secrets) expect(readFileSync(file, 'utf8')).not.toContain(secret);
    }));

  it('adds to the file, and says why a run was postponed', () =>
    withLab({ scenario: 'lock-held' }, async (lab) => {
      const file = join(lab.dir, 'events.jsonl');
      await pbsCtl(patch(lab.configPath, '--events', file, '--check'));
      const { code } = await pbsCtl(patch(lab.configPath, '--events', file));
      expect(code).toBe(75);
      const events = lines(readFileSync(file, 'utf8'));
      expect(events.filter(({ event }) => event === 'begun').map(({ mode }) => mode)).toEqual([
        'check',
        'patch',
      ]);
      expect(events.at(-1)).toMatchObject({ outcome: 'postponed', exitCode: 75 });
      expect(events.some(({ id, status }) => id === 'lock.available' && status === 'block')).toBe(true);
    }));

  it('takes stdout instead of the report, but not from --json, and no file that cannot be written', () =>
    withLab({}, async (lab) => {
      const { code, stdout } = await pbsCtl(patch(lab.configPath, '--check', '--events', '-'));
      expect(code).toBe(0);
      expect(lines(stdout).at(-1)).toMatchObject({ event: 'ended', outcome: 'checked' });
      const before = lab.record.requests.length;
      const both = await pbsCtlJson<{ error: { code: string } }>(patch(lab.configPath, '--events', '-'));
      expect(both).toMatchObject({ code: 2, document: { error: { code: 'usage.events' } } });
      const nowhere = await pbsCtl(patch(lab.configPath, '--events', '/nowhere/events.jsonl'));
      expect(nowhere.code).toBe(2);
      expect(nowhere.stderr).toContain('/nowhere/events.jsonl cannot be written: its folder does not exist.');
      expect(lab.record.requests.length).toBe(before);
    }));
});

describe('--quiet and --verbose', () => {
  it('say nothing but the result, or every check and every request', () =>
    withLab({}, async (lab) => {
      const quiet = await pbsCtl(patch(lab.configPath, '--check', '--quiet'));
      expect(quiet.stderr).toBe('');
      expect(quiet.stdout).toContain('pbs01');
      const verbose = await pbsCtl(patch(lab.configPath, '--check', '--verbose'));
      expect(verbose.stderr).toContain('pass pve.quorum');
      expect(verbose.stderr).toMatch(/GET https:\/\/127\.0\.0\.1:\d+\/nodes\/localhost\/status 200 \d+ ms/);
      for (const secret of lab.secrets) expect(verbose.stderr).not.toContain(secret);
    }));

  it('cannot both be wanted', async () => {
    const { code, stderr } = await pbsCtl(['status', '--quiet', '--verbose']);
    expect(code).toBe(2);
    expect(stderr).toContain("'--quiet' cannot be used with option '--verbose'");
  });
});
