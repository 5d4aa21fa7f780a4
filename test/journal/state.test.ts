import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { next } from '../../src/journal/fold.js';
import { type RunEvent, RunRecord } from '../../src/journal/records.js';
import { documentOf } from '../../src/journal/runs.js';
import { isUnfinished, type RunState } from '../../src/journal/state.js';

const STARTED = { type: 'started', host: 'pbs01', mode: 'patch', owesReboot: false } as const;
const NONE = { upgraded: [], installed: [], removed: [], held: [], keptBack: [] };
const boot = { bootTime: 1, bootId: null };
const ended = (outcome: 'patched' | 'failed', open = false): RunEvent => ({
  type: 'ended',
  outcome,
  retryAfter: null,
  error: null,
  open,
});
const recordOf = (event: RunEvent): RunRecord => ({ v: 1, run: 'r', at: '2026-01-01T00:00:00.000Z', event });
const folded = (events: readonly RunEvent[]) =>
  [STARTED, ...events].map(recordOf).reduce<RunState | null>(next, null) as RunState;

describe('the journals that versions before this one have written', () => {
  it.each(readdirSync('fixtures/runs'))('still fold: run %s', (run) => {
    const lines = readFileSync(join('fixtures/runs', run, 'journal.jsonl'), 'utf8')
      .trimEnd()
      .split('\n');
    const records = lines.map((line) => RunRecord.parse(JSON.parse(line)));
    const state = records.reduce<RunState | null>(next, null);
    expect(state).toMatchObject({ runId: run, host: 'pbs01', mode: 'patch' });
    // What is parsed away would be missing in the report.
    expect(records).toMatchObject(lines.map((line) => JSON.parse(line)));
  });

  it('end as they did: one with a warning behind its end, one that was cut off in its upgrade', () => {
    const fold = (run: string) =>
      readFileSync(join('fixtures/runs', run, 'journal.jsonl'), 'utf8')
        .trimEnd()
        .split('\n')
        .map((line) => RunRecord.parse(JSON.parse(line)))
        .reduce<RunState | null>(next, null) as RunState;
    expect(fold('k9drp4')).toMatchObject({
      ended: { outcome: 'patched' },
      reboot: { count: 1 },
      warnings: [expect.stringContaining('Slack was not told')],
    });
    const cutOff = fold('jkpqu1');
    expect(cutOff).toMatchObject({ ended: null, upgrade: 'begun', fenced: ['tank', 'vault'] });
    expect(isUnfinished(next(cutOff, recordOf({ type: 'resumed' })))).toBe(true);
  });
});

describe('an event that cannot come to pass where it stands is refused', () => {
  const DONE: RunEvent[] = [{ type: 'upgrade-intended' }, { type: 'upgraded', packages: NONE }];
  const REBOOT: RunEvent = { type: 'reboot-intended', boot };
  const BASELINE: RunEvent = {
    type: 'baseline',
    baseline: {
      state: { version: '', kernel: '', bootTime: '', datastores: [] },
      boot,
      mounts: [],
      failedUnits: [],
      services: [],
      installed: {},
    },
  };
  it.each<[string, RunEvent[], string]>([
    ['a second reboot', [...DONE, REBOOT, REBOOT], 'requested before'],
    [
      'a second reboot of a run that was resumed',
      [...DONE, REBOOT, { type: 'resumed' }, REBOOT],
      'requested before',
    ],
    ['a reboot while the upgrade may run', [{ type: 'upgrade-intended' }, REBOOT], 'upgrade is not done'],
    ['a boot without a reboot', [{ type: 'rebooted', boot }], 'no reboot was requested'],
    [
      'a second boot',
      [...DONE, REBOOT, { type: 'rebooted', boot }, { type: 'rebooted', boot }],
      'was back before',
    ],
    [
      'an upgrade while one may run',
      [{ type: 'upgrade-intended' }, { type: 'upgrade-intended' }],
      'begun before',
    ],
    ['an upgrade behind one that is done', [...DONE, { type: 'upgrade-intended' }], 'begun before'],
    ['the failure of no upgrade', [{ type: 'upgrade-failed', exitCode: 1 }], 'no upgrade was begun'],
    ['another baseline', [BASELINE, BASELINE], 'has a baseline'],
    ['another beginning', [STARTED], 'has begun'],
    [
      'the end of a phase that was not begun',
      [{ type: 'phase', phase: 'lock', status: 'done' }],
      'was not begun',
    ],
    [
      'a phase behind the end',
      [ended('patched'), { type: 'phase', phase: 'lock', status: 'intended' }],
      'has ended',
    ],
    ['a fence behind the end', [ended('failed', true), { type: 'fenced', datastore: 'tank' }], 'has ended'],
    ['going on with what has ended', [ended('patched'), { type: 'resumed' }], 'left nothing behind'],
  ])('%s', (_, events, why) => {
    expect(() => folded(events.slice(0, -1))).not.toThrow();
    expect(() => folded(events)).toThrow(why);
  });

  it('while what is added behind the end is taken', () => {
    const after: RunEvent[] = [
      { type: 'warning', text: 'w' },
      { type: 'unfenced', datastore: 'tank' },
      { type: 'unlocked', cluster: 'main' },
      { type: 'resumed' },
    ];
    const before: RunEvent[] = [
      { type: 'locked', cluster: 'main', expiresAt: 1 },
      { type: 'fenced', datastore: 'tank' },
      ended('failed', true),
    ];
    expect(folded([...before, ...after])).toMatchObject({
      locks: [],
      fenced: [],
      warnings: ['w'],
      ended: null,
    });
  });
});

describe('any sequence of events that can come to pass', () => {
  const store = fc.constantFrom('tank', 'vault');
  const event = fc.oneof(
    store.map((datastore): RunEvent => ({ type: 'fence-intended', datastore })),
    store.map((datastore): RunEvent => ({ type: 'fenced', datastore })),
    store.map((datastore): RunEvent => ({ type: 'unfenced', datastore })),
    fc.constantFrom<RunEvent>(
      { type: 'locked', cluster: 'main', expiresAt: 1 },
      { type: 'unlocked', cluster: 'main' },
      { type: 'resumed' },
      { type: 'upgrade-intended' },
      { type: 'upgraded', packages: NONE },
      { type: 'reboot-intended', boot },
      { type: 'rebooted', boot },
      ended('failed', true),
      ended('patched'),
    ),
  );

  it('reports as left behind exactly what was begun and not undone', () => {
    fc.assert(
      fc.property(fc.array(event), (drawn) => {
        const events: RunEvent[] = [];
        let state = folded([]);
        for (const each of drawn) {
          try {
            state = next(state, recordOf(each));
          } catch {
            continue;
          }
          events.push(each);
        }
        const expected = new Set<string>();
        for (const each of events) {
          if (each.type === 'fence-intended' || each.type === 'fenced') expected.add(each.datastore);
          if (each.type === 'unfenced') expected.delete(each.datastore);
        }
        const document = documentOf(state, { count: 0, since: null });
        expect(new Set(document.leftBehind.fenced)).toEqual(expected);
        const lock =
          events.findLast(({ type }) => type === 'locked' || type === 'unlocked')?.type === 'locked';
        expect(document.leftBehind.locks).toEqual(lock ? ['main'] : []);
        const reboots = events.filter(({ type }) => type === 'reboot-intended').length;
        expect(document.reboot?.count ?? 0).toBe(reboots);
        expect(reboots).toBeLessThanOrEqual(1);
        const last = events.findLast(({ type }) => type === 'ended' || type === 'resumed');
        expect(isUnfinished(state)).toBe(!(last?.type === 'ended' && !last.open));
      }),
    );
  });
});

describe('the boot before the reboot of a run', () => {
  const BEFORE = { bootTime: 1000, bootId: 'b0' };
  const begun = (other: RunEvent): RunState =>
    folded([
      {
        type: 'baseline',
        baseline: {
          state: { version: '', kernel: '', bootTime: '', datastores: [] },
          ...{ boot: BEFORE, mounts: [], failedUnits: [], services: [], installed: {} },
        },
      },
      other,
    ]);
  it.each`
    what                       | boot                                | counts
    ${'the same one'}          | ${{ bootTime: 1000, bootId: 'b0' }} | ${'b0'}
    ${'another one'}           | ${{ bootTime: 1000, bootId: 'b1' }} | ${'b0'}
    ${'one by its time alone'} | ${{ bootTime: 2000, bootId: null }} | ${'b0'}
    ${'the same by its time'}  | ${{ bootTime: 1010, bootId: null }} | ${null}
  `('is that of its beginning: $what before the upgrade is a boot since then', ({ boot: seen, counts }) => {
    const { bootBefore } = begun({ type: 'upgrade-intended', boot: seen });
    expect(bootBefore?.boot.bootId).toBe(counts);
  });
});
