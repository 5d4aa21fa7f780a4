import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allRuns, documentsOf } from '../../src/patch/journal.js';
import type { RunDocument } from '../../src/report/document.js';
import { htmlReport } from '../../src/report/html/page.js';
import { markdownReport } from '../../src/report/markdown.js';
import { pbsCtl, pbsCtlJson } from '../support/command.js';

let folder: string;
let config: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-history-'));
  cpSync('fixtures/runs', join(folder, 'state', 'runs'), { recursive: true });
  config = join(folder, 'config.json');
  writeFileSync(config, JSON.stringify({ clusters: {}, hosts: {}, stateDir: join(folder, 'state') }));
});
afterAll(() => rmSync(folder, { recursive: true }));

const [patched, postponed] = documentsOf(allRuns('fixtures')) as [RunDocument, RunDocument];
const timeline = allRuns('fixtures')[0]?.timeline ?? [];

describe('history', () => {
  it('lists runs, newest first, with outcome, duration, downtime and versions', async () => {
    const { document } = await pbsCtlJson<{ runs: object[] }>(['history', '--config', config]);
    expect(document.runs).toMatchObject([
      { runId: postponed.runId, outcome: 'postponed', downtimeSeconds: null },
      { runId: patched.runId, outcome: 'patched', from: '4.2.2-1', to: '4.2.3-1', packages: 9 },
    ]);
    const { stdout } = await pbsCtl(['history', '--config', config]);
    expect(stdout.trim().split('\n')).toHaveLength(3);
    for (const line of stdout.split('\n')) expect(line.length).toBeLessThanOrEqual(80);
  });

  it('shows only the runs of a host that is named', async () => {
    const { document } = await pbsCtlJson<{ runs: object[] }>([
      'history',
      '--host',
      'pbs02',
      '--config',
      config,
    ]);
    expect(document.runs).toEqual([]);
  });
});

describe('report', () => {
  it.each(['text', 'json', 'markdown', 'html', 'slack'])('of a run is printed as %s', async (format) => {
    const { code, stdout } = await pbsCtl(['report', patched.runId, '--format', format, '--config', config]);
    expect(code).toBe(0);
    expect(stdout).toContain('pbs01');
    expect(stdout).toContain('patched');
  });

  it('of the last run is found by "last"', async () => {
    const { document } = await pbsCtlJson<RunDocument>(['report', 'last', '--config', config]);
    expect(document.runId).toBe(postponed.runId);
  });

  it('of a run that there is not names those that there are', async () => {
    const { code, stderr } = await pbsCtl(['report', 'zzzzzz', '--config', config]);
    expect(code).toBe(2);
    expect(stderr).toContain(patched.runId);
  });
});

const HOSTILE = `<script>alert("x")</script> & 'y' [z](http://q) \u001b[31m`;
const hostile: RunDocument = {
  ...patched,
  host: HOSTILE,
  warnings: [HOSTILE],
  error: { code: 'x', message: HOSTILE, hint: HOSTILE },
};

describe('the HTML report', () => {
  it('is one file without scripts and without anything to load', () => {
    const html = htmlReport(patched, timeline);
    expect(html).not.toMatch(/<script|<link|<img|src=|url\(|@import|https?:/i);
    for (const phase of ['preflight', 'upgrade', 'reboot', 'unlock'])
      expect(html).toContain(`<th>${phase}</th>`);
  });
  it('lets nothing that a server said become markup', () => {
    const html = htmlReport(hostile, timeline);
    expect(html).not.toContain('<script');
    expect(html.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u);
  });
});

describe('the Markdown report', () => {
  it('lets nothing that a server said become markup', () => {
    const markdown = markdownReport(hostile, timeline);
    expect(markdown).toContain('\\<script\\>');
    expect(markdown).not.toContain('[z](');
  });
});
