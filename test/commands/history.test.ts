import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { claimHost } from '../../src/journal/claim.js';
import type { RunDocument } from '../../src/journal/document.js';
import { documentsOf, readRuns } from '../../src/journal/runs.js';
import { realWorld } from '../../src/world.js';
import { noSignals, pbsCtl, pbsCtlJson } from '../support/in-process.js';

let folder: string;
let config: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'pbs-ctl-history-'));
  config = copyOfFixtures('state');
});
afterAll(() => rmSync(folder, { recursive: true }));

function configFor(stateDir: string): string {
  const path = `${stateDir}.json`;
  writeFileSync(path, JSON.stringify({ clusters: {}, hosts: {}, stateDir }));
  return path;
}
function copyOfFixtures(name: string): string {
  for (const { runId } of [patched, postponed])
    cpSync(join('fixtures/runs', runId), join(folder, name, 'runs', runId), { recursive: true });
  return configFor(join(folder, name));
}

const [patched, postponed] = documentsOf(readRuns('fixtures').runs) as [RunDocument, RunDocument];

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
    const { code, stdout } = await pbsCtl(['history', '--host', 'pbs02', '--config', config]);
    expect(stdout).toContain('No run of pbs02 yet. All hosts:\n  pbs-ctl history\n');
    expect(code).toBe(0);
  });

  it('of a new state directory is empty and says how to begin', async () => {
    const elsewhere = configFor(join(folder, 'nothing-yet'));
    const { code, stdout } = await pbsCtl(['history', '--config', elsewhere]);
    expect({ code, stdout }).toMatchObject({ code: 0, stdout: expect.stringContaining('No run yet.') });
  });

  it('shows the other runs beside one that cannot be read, which it names', async () => {
    const elsewhere = copyOfFixtures('damaged');
    writeFileSync(join(folder, 'damaged', 'runs', patched.runId, 'journal.jsonl'), 'garbage\n');
    const { code, document } = await pbsCtlJson<{ runs: object[]; unreadable: object[] }>([
      'history',
      '--config',
      elsewhere,
    ]);
    expect(code).toBe(0);
    expect(document).toMatchObject({
      runs: [{ runId: postponed.runId }],
      unreadable: [{ runId: patched.runId, error: { code: 'state.unreadable' } }],
    });
    const { stdout } = await pbsCtl(['history', '--config', elsewhere]);
    expect(stdout).toContain(`run ${patched.runId} cannot be read`);
    const report = await pbsCtl(['report', patched.runId, '--config', elsewhere]);
    expect(report.code).toBe(1);
    expect(report.stderr).toContain('journal.jsonl');
  });

  it('tells a run that goes on from one that was cut off', async () => {
    const elsewhere = copyOfFixtures('open');
    const journal = join(folder, 'open', 'runs', patched.runId, 'journal.jsonl');
    // Cut off in the upgrade, as a crash would leave it.
    writeFileSync(journal, `${readFileSync(journal, 'utf8').split('\n').slice(0, 24).join('\n')}\n`);
    const first = async () => (await pbsCtl(['history', '--config', elsewhere])).stdout.split('\n')[2];
    expect(await first()).toMatch(/ interrupted /);
    const { release } = await claimHost(join(folder, 'open'), 'pbs01', realWorld(noSignals()));
    expect(await first()).toMatch(/ running /);
    const { stderr } = await pbsCtl(['report', patched.runId, '--config', elsewhere]);
    expect(stderr).toContain('still under way');
    release();
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

  it('of the last run of a host passes over those of others', async () => {
    const { code, stderr } = await pbsCtl(['report', 'last', '--host', 'pbs02', '--config', config]);
    expect({ code, stderr }).toMatchObject({
      code: 2,
      stderr: expect.stringContaining('There is no run of pbs02 yet.'),
    });
    const { document } = await pbsCtlJson<RunDocument>([
      'report',
      'last',
      '--host',
      'pbs01',
      '--config',
      config,
    ]);
    expect(document.runId).toBe(postponed.runId);
  });

  it('of a run that there is not names those that there are, with host and outcome', async () => {
    const { code, stdout, stderr } = await pbsCtl(['report', 'zzzzzz', '--config', config]);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toContain(`${postponed.runId} (pbs01, postponed), ${patched.runId} (pbs01, patched)`);
  });

  it('of a run that is misspelt names the one that was meant', async () => {
    const misspelt = `${patched.runId.slice(0, 5)}q`;
    const { code, document } = await pbsCtlJson<{ error: { hint: string } }>([
      'report',
      misspelt,
      '--config',
      config,
    ]);
    expect(code).toBe(2);
    expect(document.error.hint).toContain(`Did you mean "${patched.runId}"?`);
  });

  it.each([
    ['a format that there is not', ['report', 'last', '--format', 'pdf'], 'text, json, markdown'],
    ['no run', ['report'], 'missing required argument'],
  ])('with %s is a usage error that says what there is', async (_, args, words) => {
    const { code, stderr } = await pbsCtl([...args, '--config', config]);
    expect({ code, stderr }).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
  });

  it('is one JSON document with --json, whatever format is requested beside it', async () => {
    const { document } = await pbsCtlJson<RunDocument>([
      'report',
      'last',
      '--format',
      'html',
      '--config',
      config,
    ]);
    expect(document).toMatchObject({ schemaVersion: 1, runId: postponed.runId });
  });

  it('changes nothing on disk', async () => {
    const elsewhere = copyOfFixtures('untouched');
    const files = () => readdirSync(join(folder, 'untouched'), { recursive: true }).sort();
    const before = files();
    await pbsCtl(['report', 'last', '--format', 'html', '--config', elsewhere]);
    await pbsCtl(['history', '--config', elsewhere]);
    expect(files()).toEqual(before);
  });
});
