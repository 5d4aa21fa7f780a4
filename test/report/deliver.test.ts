import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { config as schema } from '../../src/config/schema.js';
import type { RunDocument } from '../../src/journal/document.js';
import { Journal } from '../../src/journal/journal.js';
import { pruneRuns } from '../../src/journal/prune.js';
import { deliver } from '../../src/report/deliver.js';
import { realClock, realWorld } from '../../src/world.js';
import { noSignals } from '../support/in-process.js';
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
  const world = { ...realWorld(noSignals()), clock, env: { SLACK: url } };
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
      expect.stringContaining('Slack did not get the report of this run: it answered 404 "no_service"'),
      expect.stringContaining('cannot be written'),
    ]);
    expect(warnings.join()).not.toContain('sEcReT');
  });

  describe('of a postponement, which Slack is told of once a day', () => {
    let runs = 0;
    /** Whether each of these runs, an hour apart, was told. */
    async function told(...documents: RunDocument[]): Promise<boolean[]> {
      const { url, received } = await receiver([{ status: 200 }]);
      const results: boolean[] = [];
      for (const drawn of documents) {
        runs += 1;
        const now = BEGIN + runs * 3_600_000;
        const startedAt = new Date(now).toISOString();
        const doc = { ...drawn, runId: `run${String(runs).padStart(3, '0')}`, startedAt };
        ran(doc);
        const before = received.length;
        expect((await delivered(doc, url, null, now)).warnings).toEqual([]);
        results.push(received.length > before);
      }
      return results;
    }

    it('remembers in its journal, so over the end of the process and for a day, what Slack was told', async () => {
      expect(await told(postponed(), postponed())).toEqual([true, false]);
      runs += 24;
      expect(await told(postponed())).toEqual([true]);
    });

    it.each<[string, RunDocument[], boolean[]]>([
      [
        'each host for itself',
        [
          postponed(),
          postponed({ host: 'pbs02' }),
          document({ host: 'pbs02' }),
          postponed(),
          postponed({ host: 'pbs02' }),
        ],
        [true, true, true, false, true],
      ],
      ['anew after a run that went well', [postponed(), document(), postponed()], [true, true, true]],
      [
        'anew after a run that no one is told of',
        [postponed(), document({ outcome: 'abandoned' }), postponed()],
        [true, false, true],
      ],
    ])('%s', async (_, documents, expected) => expect(await told(...documents)).toEqual(expected));

    it('tells again where a journal is damaged: twice is better than not at all', async () => {
      expect(await told(postponed())).toEqual([true]);
      mkdirSync(join(stateDir, 'runs', 'broken'));
      writeFileSync(join(stateDir, 'runs', 'broken', 'journal.jsonl'), 'garbage\n');
      expect(await told(postponed())).toEqual([true]);
    });

    it('keeps what was told when old runs are pruned', async () => {
      await told(postponed());
      for (let hour = 0; hour < 5; hour += 1) {
        expect(await told(postponed())).toEqual([false]);
        pruneRuns(stateDir, 1);
      }
    });
  });
});
