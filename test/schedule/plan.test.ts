import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planOf } from '../../src/schedule/plan.js';
import { HOUR, job, policy, span } from './jobs.js';

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
