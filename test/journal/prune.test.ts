import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Outcome } from '../../src/config/schema.js';
import { Journal } from '../../src/journal/journal.js';
import { postponementsOf } from '../../src/journal/owed.js';
import { prunable, pruneRuns } from '../../src/journal/prune.js';
import type { Baseline, RunEvent } from '../../src/journal/records.js';
import { readRuns, runsOf, wholeHistories } from '../../src/journal/runs.js';
import { isUnfinished } from '../../src/journal/state.js';
import { hostMetrics } from '../../src/report/metrics.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-prune-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

let time = Date.parse('2026-11-23T02:00:00Z');
const clock = {
  now: () => (time += 1000),
  timeout: AbortSignal.timeout,
  monotonic: () => time,
  sleep: async () => {},
};
const baseline: Baseline = {
  state: { version: '4.1.2-1', kernel: '6.14.8-2-pve', bootTime: '2026-11-01T00:00:00.000Z', datastores: [] },
  boot: { bootTime: 1, bootId: null },
  mounts: [],
  failedUnits: [],
  services: [],
  installed: {},
};
let count = 0;
/** @param wanted `open`: without an end */
function run(host: string, wanted: Outcome | 'open', ...more: RunEvent[]): string {
  const id = `run${String(++count).padStart(3, '0')}`;
  const journal = Journal.begin(stateDir, id, clock, {
    type: 'started',
    host,
    mode: 'patch',
    owesReboot: false,
  });
  for (const event of more) journal.append(event);
  if (wanted !== 'open')
    journal.append({ type: 'ended', outcome: wanted, retryAfter: null, error: null, open: false });
  journal.close();
  return id;
}
const left = () => wholeHistories(stateDir).map(({ runId }) => runId);

describe('pruning keeps', () => {
  it('the newest runs, as many as keepRuns says', () => {
    const all = Array.from({ length: 5 }, () => run('pbs01', 'patched', { type: 'baseline', baseline }));
    pruneRuns(stateDir, 3);
    expect(left()).toEqual(all.slice(2));
  });

  it('everything as long as there are not more', () => {
    const all = [run('pbs01', 'patched'), run('pbs01', 'patched')];
    pruneRuns(stateDir, 2);
    expect(left()).toEqual(all);
  });

  it('a run that is not ended, however old', () => {
    const open = run('pbs01', 'open');
    const last = [run('pbs01', 'patched', { type: 'baseline', baseline }), run('pbs01', 'patched')].at(-1);
    pruneRuns(stateDir, 1);
    expect(left()).toContain(open);
    expect(left()).toContain(last);
  });

  it('a reboot that a host still owes, while another host is postponed every hour', () => {
    const owed = run('pbs01', 'reboot-pending', { type: 'baseline', baseline });
    for (let hour = 0; hour < 10; hour += 1) run('pbs02', 'postponed');
    pruneRuns(stateDir, 3);
    expect(runsOf(stateDir, 'pbs01').map(({ runId }) => runId)).toEqual([owed]);
  });

  it('a fence and a lock that a run had to leave', () => {
    const fenced = run('pbs01', 'abandoned', { type: 'fenced', datastore: 'tank' });
    const locked = run('pbs01', 'postponed', { type: 'locked', cluster: 'main', expiresAt: 0 });
    for (let hour = 0; hour < 10; hour += 1) run('pbs01', 'patched', { type: 'baseline', baseline });
    pruneRuns(stateDir, 2);
    expect(left().slice(0, 2)).toEqual([fenced, locked]);
  });

  it('what verify compares with and when the host was last patched, under many postponements of it', () => {
    run('pbs01', 'patched');
    const patched = run('pbs01', 'patched', { type: 'baseline', baseline });
    for (let hour = 0; hour < 10; hour += 1) run('pbs01', 'postponed');
    pruneRuns(stateDir, 3);
    expect(runsOf(stateDir, 'pbs01').findLast((each) => each.baseline)?.runId).toBe(patched);
    expect(hostMetrics(wholeHistories(stateDir))[0]?.lastPatchedAt).not.toBeNull();
  });

  it('since when a host is postponed, so that a timer that runs hourly can tell a week from a day', () => {
    run('pbs01', 'patched');
    run('pbs01', 'postponed');
    const since = runsOf(stateDir, 'pbs01')[1]?.startedAt;
    for (let hour = 0; hour < 10; hour += 1) {
      run('pbs01', 'postponed');
      pruneRuns(stateDir, 3);
    }
    expect(postponementsOf(runsOf(stateDir, 'pbs01')).since).toBe(since);
  });
});

describe('pruning', () => {
  it('never forgets what a host rests on, and is over after one round, whatever ran before', () => {
    const outcomes = fc.constantFrom<Outcome | 'open'>(
      'patched',
      'postponed',
      'reboot-pending',
      'failed',
      'open',
    );
    const history = fc.array(fc.tuple(fc.constantFrom('pbs01', 'pbs02'), outcomes, fc.boolean()), {
      maxLength: 25,
    });
    fc.assert(
      fc.property(history, fc.integer({ min: 1, max: 6 }), (past, keep) => {
        rmSync(join(stateDir, 'runs'), { recursive: true, force: true });
        for (const [host, outcome, seen] of past)
          run(host, outcome, ...(seen ? [{ type: 'baseline' as const, baseline }] : []));
        const before = wholeHistories(stateDir);
        const gone = new Set(prunable(before, keep));
        const after = before.filter((each) => !gone.has(each));
        expect(after.length).toBeGreaterThanOrEqual(Math.min(keep, before.length));
        expect(prunable(after, keep)).toEqual([]);
        for (const host of ['pbs01', 'pbs02']) {
          const [own, kept] = [before, after].map((runs) => runs.filter((each) => each.host === host));
          const rests = (runs: typeof own = []) => ({
            unfinished: runs.filter(isUnfinished),
            decides: runs.findLast((each) => each.ended && each.ended.outcome !== 'postponed'),
            comparedWith: runs.findLast((each) => each.baseline),
            patched: runs.findLast((each) => each.ended?.outcome === 'patched'),
            since: postponementsOf(runs).since,
          });
          expect(rests(kept)).toEqual(rests(own));
        }
      }),
      { numRuns: 40 },
    );
  });

  it('that fails is said and not thrown: the run that it follows has its outcome', () => {
    writeFileSync(join(stateDir, 'runs'), 'a file where a folder should be');
    expect(pruneRuns(stateDir, 1)?.message).toMatch(/part of its path is not a folder/);
  });

  it('removes nothing while a journal cannot be read, since what rests on it is unknown', () => {
    const old = run('pbs01', 'patched');
    run('pbs01', 'patched');
    mkdirSync(join(stateDir, 'runs', 'broken'));
    writeFileSync(join(stateDir, 'runs', 'broken', 'journal.jsonl'), 'garbage\n');
    expect(pruneRuns(stateDir, 1)).toMatchObject({ code: 'state.unreadable' });
    expect(existsSync(join(stateDir, 'runs', old))).toBe(true);
  });
});

describe('reading past runs', () => {
  it('takes no notice of what is no run', () => {
    const only = run('pbs01', 'patched');
    writeFileSync(join(stateDir, 'runs', '.keep'), '');
    mkdirSync(join(stateDir, 'runs', 'lost+found'));
    expect(readRuns(stateDir)).toMatchObject({ runs: [{ runId: only }], damaged: [] });
  });

  it('shows the others beside one that is damaged', () => {
    const only = run('pbs01', 'patched');
    mkdirSync(join(stateDir, 'runs', 'broken'));
    writeFileSync(join(stateDir, 'runs', 'broken', 'journal.jsonl'), 'garbage\n');
    expect(readRuns(stateDir)).toMatchObject({ runs: [{ runId: only }], damaged: [{ runId: 'broken' }] });
    expect(() => wholeHistories(stateDir)).toThrow(/Line 1 of .*broken/);
  });
});
