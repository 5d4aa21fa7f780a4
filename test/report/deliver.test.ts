import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { config as schema } from '../../src/config/schema.js';
import type { RunDocument } from '../../src/journal/document.js';
import { Journal } from '../../src/journal/journal.js';
import { deliver } from '../../src/report/deliver.js';
import { realClock, realWorld } from '../../src/world.js';
import { document, postponed } from './documents.js';
import { receiver } from './receiver.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-deliver-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

const BEGIN = Date.parse('2026-11-23T02:00:00Z');
/** The run of a report, as its journal has it. */
function ran(doc: RunDocument) {
  const clock = { ...realClock, now: () => Date.parse(doc.startedAt) };
  const { host, mode, outcome, retryAfter, error } = doc;
  const journal = Journal.begin(stateDir, doc.runId, clock, {
    type: 'started',
    host,
    mode,
    owesReboot: false,
  });
  journal.append({ type: 'ended', outcome, retryAfter, error, open: false });
  journal.close();
}

async function delivered(doc: RunDocument, url: string, textfile: string | null = null, now = BEGIN) {
  const config = schema.parse({
    clusters: {},
    hosts: {},
    notify: { slack: { webhook: { env: 'SLACK' } } },
    metrics: { textfile },
  });
  const clock = { now: () => now, timeout: AbortSignal.timeout, monotonic: () => now, sleep: async () => {} };
  const world = { ...realWorld(), clock, env: { SLACK: url } };
  return deliver(doc, { config, stateDir }, world);
}

describe('delivering a report', () => {
  it('tells Slack and writes the metrics, and leaves the report as it is', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    const textfile = join(stateDir, 'pbs_ctl.prom');
    ran(document());
    expect(await delivered(document(), url, textfile)).toEqual(document());
    expect(received).toHaveLength(1);
    expect(readFileSync(textfile, 'utf8')).toContain('outcome="patched"} 1');
  });

  it('that fails is a warning in the report and never another outcome', async () => {
    const { url } = await receiver([{ status: 404, body: 'no_service' }]);
    const doc = document({ warnings: ['something of before'] });
    const { warnings, ...rest } = await delivered(doc, url, join(stateDir, 'nowhere', 'pbs_ctl.prom'));
    expect({ ...rest, warnings: [] }).toEqual({ ...doc, warnings: [] });
    expect(warnings).toEqual([
      'something of before',
      expect.stringContaining('Slack was not told of this run: it answered 404 "no_service"'),
      expect.stringContaining('cannot be written'),
    ]);
    expect(warnings.join()).not.toContain('sEcReT');
  });

  it('remembers over the end of the process what Slack was told, in a file for its owner only', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    await delivered(postponed(), url);
    await delivered(postponed(), url, null, BEGIN + 3_600_000);
    expect(received).toHaveLength(1);
    expect(statSync(join(stateDir, 'postponements-told.json')).mode & 0o077).toBe(0);
    await delivered(postponed(), url, null, BEGIN + 86_400_000);
    expect(received).toHaveLength(2);
  });

  it.each([
    ['is damaged', '{"pbs01": '],
    ['is of another form', '{"pbs01": {"sentAt": "yesterday"}}'],
  ])('tells again where that file %s: twice is better than not at all', async (_, text) => {
    const { url, received } = await receiver([{ status: 200 }]);
    writeFileSync(join(stateDir, 'postponements-told.json'), text);
    expect((await delivered(postponed(), url)).warnings).toEqual([]);
    expect(received).toHaveLength(1);
  });

  it('keeps the memory of each host for itself', async () => {
    const { url, received } = await receiver([{ status: 200 }]);
    await delivered(postponed(), url);
    await delivered(postponed({ host: 'pbs02' }), url);
    await delivered(document({ host: 'pbs02' }), url);
    await delivered(postponed(), url);
    await delivered(postponed({ host: 'pbs02' }), url);
    expect(received).toHaveLength(4);
  });
});
