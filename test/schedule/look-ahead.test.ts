import { describe, expect, it } from 'vitest';
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

describe('until when a run may begin', () => {
  const until = (...busy: Busy[]) => lastBeginning(planOf(busy, policy, span, 'UTC'), 1800);

  it('is a whole run and the margin before what comes next', () =>
    expect(until(job(5 * HOUR, HOUR))).toBe(span.from + 5 * HOUR - 1800 - 900));

  it('is not told where nothing comes, nor where it is no time now', () =>
    expect([until(), until(job(-HOUR, 2 * HOUR))]).toEqual([null, null]));
});
