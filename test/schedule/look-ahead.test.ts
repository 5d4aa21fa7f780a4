import { describe, expect, it } from 'vitest';
import { lastBeginning } from '../../src/schedule/look-ahead.js';
import { type Busy, planOf } from '../../src/schedule/plan.js';
import { HOUR, job, policy, span } from './jobs.js';

describe('until when a run may begin', () => {
  const until = (...busy: Busy[]) => lastBeginning(planOf(busy, policy, span, 'UTC'), 1800);

  it('is a whole run and the margin before what comes next', () =>
    expect(until(job(5 * HOUR, HOUR))).toBe(span.from + 5 * HOUR - 1800 - 900));

  it('is not told where nothing comes, nor where it is no time now', () =>
    expect([until(), until(job(-HOUR, 2 * HOUR))]).toEqual([null, null]));
});
