import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../src/journal/journal.js';
import { postponementsOf } from '../../src/journal/owed.js';
import { pruneRuns } from '../../src/journal/prune.js';
import type { RunEvent } from '../../src/journal/records.js';
import { documentsOf, runsOf } from '../../src/journal/runs.js';

let stateDir: string;
beforeEach(() => {
  stateDir = mkdtempSync(join(tmpdir(), 'pbs-ctl-state-'));
});
afterEach(() => rmSync(stateDir, { recursive: true, force: true }));

let time = Date.parse('2026-11-23T02:00:00Z');
const clock = {
  now: () => (time += 1000),
  timeout: AbortSignal.timeout,
  monotonic: () => time,
  sleep: async () => {},
};
const STARTED = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false } as const;
const ended = (outcome: 'patched' | 'postponed' | 'failed', open = false): RunEvent => ({
  type: 'ended',
  outcome,
  retryAfter: null,
  error: null,
  open,
});
const NONE = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const run = (id: string, ...events: RunEvent[]) => {
  const journal = Journal.begin(stateDir, id, clock, STARTED);
  for (const event of events) journal.append(event);
  journal.close();
  return join(stateDir, 'runs', id, 'journal.jsonl');
};

describe('a journal', () => {
  it('gives back the run that was written', () => {
    run('aaaaaa', { type: 'locked', cluster: 'main', expiresAt: 1 }, { type: 'fenced', datastore: 'tank' });
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([
      { runId: 'aaaaaa', host: 'pbs01', locks: ['main'], fenced: ['tank'], ended: null },
    ]);
    expect(runsOf(stateDir, 'pbs02')).toEqual([]);
  });

  it('with a torn last line loses that line only, and goes on behind what is whole', () => {
    const file = run('aaaaaa', { type: 'locked', cluster: 'main', expiresAt: 1 });
    appendFileSync(file, '{"v":1,"run":"aaaaaa","at":"2026-11-23T0');
    const again = Journal.reopen(stateDir, 'aaaaaa', clock);
    again.append({ type: 'resumed' });
    again.close();
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ locks: ['main'], resumed: true }]);
    expect(readFileSync(file, 'utf8').trim().split('\n')).toHaveLength(3);
  });

  it.each<[string, boolean, RunEvent[]]>([
    ['was not begun changed none', true, []],
    ['was begun may have changed some', false, [{ type: 'upgrade-intended' }]],
    [
      'was begun may have, also once nothing of the run is left behind',
      false,
      [
        { type: 'locked', cluster: 'main', expiresAt: 1 },
        { type: 'upgrade-intended' },
        ended('failed', true),
        { type: 'unlocked', cluster: 'main' },
      ],
    ],
    [
      'failed had changed what was seen then',
      true,
      [{ type: 'upgrade-intended' }, { type: 'upgrade-failed', exitCode: 100, packages: NONE }],
    ],
    [
      'failed may have where an older version wrote of it',
      false,
      [{ type: 'upgrade-intended' }, { type: 'upgrade-failed', exitCode: 100 }],
    ],
    [
      'was done has changed what was seen then',
      true,
      [{ type: 'upgrade-intended' }, { type: 'upgraded', packages: NONE }],
    ],
  ])('tells of an upgrade whether its packages are known: one that %s', (_, known, events) => {
    run('aaaaaa', ...events);
    expect(documentsOf(runsOf(stateDir, 'pbs01'))).toMatchObject([{ packagesKnown: known }]);
  });

  it.each([
    ['damaged in the middle', 'garbage\n'],
    ['of another version', '{"v":2,"run":"aaaaaa","at":"x","event":{"type":"resumed"}}\n'],
  ])('%s is an error that names file and line: nothing is guessed', (_, line) => {
    const file = run('aaaaaa');
    appendFileSync(file, `${line}${readFileSync(file, 'utf8')}`);
    expect(() => runsOf(stateDir, 'pbs01')).toThrow(/Line 2 of .*journal\.jsonl/);
  });

  it('refuses an event that cannot come where it stands, before it is written', () => {
    const journal = Journal.begin(stateDir, 'aaaaaa', clock, STARTED);
    const boot = { bootTime: 1, bootId: null };
    expect(() => journal.append({ type: 'rebooted', boot })).toThrow('no reboot was requested');
    journal.append({ type: 'resumed' });
    journal.close();
    expect(runsOf(stateDir, 'pbs01')).toMatchObject([{ resumed: true, reboot: null }]);
  });

  it('that cannot be written is an error before anything was changed', () => {
    writeFileSync(join(stateDir, 'runs'), 'a file where a folder should be');
    expect(() => Journal.begin(stateDir, 'aaaaaa', clock, STARTED)).toThrowError(
      expect.objectContaining({ code: 'state.unwritable' }),
    );
  });

  it('is readable by its owner alone', () => {
    expect(statSync(run('aaaaaa')).mode & 0o077).toBe(0);
  });

  it('is pruned to as many as are kept, the oldest first, and never while unfinished', () => {
    run('old001', ended('failed', true));
    run('old002', ended('patched'));
    run('new003', ended('patched'));
    pruneRuns(stateDir, 1);
    expect(runsOf(stateDir, 'pbs01').map(({ runId }) => runId)).toEqual(['old001', 'new003']);
  });

  it('counts postponements in a row', () => {
    run('run001', ended('postponed'));
    run('run002', ended('patched'));
    run('run003', ended('postponed'));
    run('run004', ended('postponed'));
    const runs = runsOf(stateDir, 'pbs01');
    expect(postponementsOf(runs)).toEqual({ count: 2, since: runs[2]?.startedAt });
  });
});
