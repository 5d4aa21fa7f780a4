import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { lengthOf } from '../../src/schedule/busy.js';
import { lastBeginning } from '../../src/schedule/look-ahead.js';
import { type Busy, planOf } from '../../src/schedule/plan.js';

const policy = {
  maintenanceDuration: 1_800_000,
  backupMargin: 900_000,
  maintenanceWindow: null,
  blackouts: [],
};
const HOUR = 3600;
const span = { from: 1_764_000_000, to: 1_764_000_000 + 72 * HOUR };
const job = (from: number, length: number): Busy => ({
  from: span.from + from,
  to: span.from + from + length,
  source: 'pbs',
  label: 'verify v1',
  estimated: true,
});

describe('free slots', () => {
  it('lie between jobs, a margin before the next, and are long enough for a whole run', () => {
    const seconds = fc.integer({ min: -HOUR, max: 72 * HOUR });
    const jobs = fc.array(fc.tuple(seconds, fc.integer({ min: 60, max: 5 * HOUR })), { maxLength: 30 });
    fc.assert(
      fc.property(jobs, (drawn) => {
        const busy = drawn.map(([from, length]) => job(from, length));
        const { free, next } = planOf(busy, policy, span, 'UTC');
        for (const slot of free) {
          expect(slot.to - slot.from).toBeGreaterThanOrEqual(1800);
          for (const each of busy) expect(slot.from >= each.to || slot.to <= each.from - 900).toBe(true);
        }
        // Every minute that no job and no margin takes, in a stretch that is long enough, is offered.
        for (let at = span.from; at + 1800 <= span.to; at += 1800) {
          const fits = busy.every((each) => at >= each.to || at + 1800 <= each.from - 900);
          if (fits) expect(free.some((slot) => slot.from <= at && slot.to >= at + 1800)).toBe(true);
        }
        expect(next?.from ?? null).toBe(free[0]?.from ?? null);
      }),
    );
  });

  it('keep to the maintenance window', () => {
    const { free } = planOf(
      [],
      { ...policy, maintenanceWindow: { days: ['sat'], from: '22:00', to: '05:00', timezone: 'UTC' } },
      { from: Date.parse('2026-11-23T00:00:00Z') / 1000, to: Date.parse('2026-12-01T00:00:00Z') / 1000 },
      'UTC',
    );
    expect(free).toEqual([
      { from: Date.parse('2026-11-28T22:00:00Z') / 1000, to: Date.parse('2026-11-29T05:00:00Z') / 1000 },
    ]);
  });
});

describe('until when a run may begin', () => {
  const until = (...busy: Busy[]) => lastBeginning(planOf(busy, policy, span, 'UTC'), 1800);

  it('is a whole run and the margin before what comes next', () =>
    expect(until(job(5 * HOUR, HOUR))).toBe(span.from + 5 * HOUR - 1800 - 900));

  it('is not told where nothing comes, nor where it is no time now', () =>
    expect([until(), until(job(-HOUR, 2 * HOUR))]).toEqual([null, null]));
});

describe('how long a job takes', () => {
  it.each([
    [[], { median: 1800, p90: 1800, runs: 0 }],
    [[60], { median: 60, p90: 60, runs: 1 }],
    [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], { median: 50, p90: 90, runs: 10 }],
  ])('of %o is %o', (finished, expected) => expect(lengthOf(finished, 1800)).toEqual(expected));
});
