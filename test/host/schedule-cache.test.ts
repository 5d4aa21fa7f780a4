import { describe, expect, it } from 'vitest';
import type { Pve } from '../../src/api/pve.js';
import { RUNS_ASKED, ScheduleCache } from '../../src/host/schedule-cache.js';

const NOW = 1_764_003_600;
const DAY = 86_400;

/** PVE as far as schedules go: a run a day, and a note of how often it was asked. */
function daily(first: number) {
  const asked: number[] = [];
  const pve = {
    scheduleRuns: async (_: string, start: number, count: number) => {
      asked.push(start);
      const next = first + Math.max(0, Math.floor((start - first) / DAY) + 1) * DAY;
      return Array.from({ length: count }, (_each, index) => next + index * DAY);
    },
  } as unknown as Pve;
  return { asked, by: { cluster: 'main', pve, zones: ['UTC'] } };
}

describe('when a schedule runs', () => {
  const schedule = '02:00';

  it('is asked once, as long as PVE names the same next run', async () => {
    const { asked, by } = daily(NOW + 3600);
    const known = new ScheduleCache();
    const first = await known.after(by, { schedule, nextRun: NOW + 3600 }, NOW - 60, NOW);
    const later = await known.after(by, { schedule, nextRun: NOW + 3600 }, NOW + 240, NOW + 300);
    expect(later).toEqual(first);
    expect(first).toMatchObject({ goesOn: true, runs: { length: RUNS_ASKED } });
    expect(asked).toEqual([NOW - 60]);
  });

  it('still shows a run that has begun within the last minute, and none from before', async () => {
    const { by } = daily(NOW + 100);
    const known = new ScheduleCache();
    await known.after(by, { schedule, nextRun: NOW + 100 }, NOW - 60, NOW);
    const next = { schedule, nextRun: NOW + 100 + DAY };
    expect((await known.after(by, next, NOW + 60, NOW + 120)).runs[0]).toBe(NOW + 100);
    expect((await known.after(by, next, NOW + 100, NOW + 160)).runs[0]).toBe(NOW + 100 + DAY);
  });

  it.each`
    analysed        | nextRun       | first        | unsure   | because
    ${[]}           | ${NOW + 300}  | ${NOW + 300} | ${true}  | ${'a next run is named, and no schedule has it'}
    ${[NOW + 3600]} | ${NOW + 300}  | ${NOW + 300} | ${false} | ${'the earlier of the two counts'}
    ${[NOW + 300]}  | ${NOW + 3600} | ${NOW + 300} | ${false} | ${'the earlier of the two counts'}
    ${[]}           | ${null}       | ${undefined} | ${false} | ${'both say that it never runs again'}
  `(
    'is never later than either of two answers says: $because',
    async ({ analysed, nextRun, first, unsure }) => {
      const pve = { scheduleRuns: async () => analysed } as unknown as Pve;
      const by = { cluster: 'main', pve, zones: ['UTC'] };
      const found = await new ScheduleCache().after(by, { schedule, nextRun }, NOW - 60, NOW);
      expect(found).toMatchObject({ unsure });
      expect(found.runs[0]).toBe(first);
    },
  );

  it.each([
    ['an earlier one', NOW + 600],
    ['a later one', NOW + 3600 + DAY],
    ['none', null],
  ])('is asked anew where PVE now names %s', async (_, nextRun) => {
    const { asked, by } = daily(NOW + 3600);
    const known = new ScheduleCache();
    await known.after(by, { schedule, nextRun: NOW + 3600 }, NOW - 60, NOW);
    await known.after(by, { schedule, nextRun }, NOW + 240, NOW + 300);
    expect(asked).toHaveLength(2);
  });

  it('is requested for each set of time zones', async () => {
    const { asked, by } = daily(NOW + 3600);
    const known = new ScheduleCache();
    const job = { schedule, nextRun: NOW + 3600 };
    await known.after(by, job, NOW - 60, NOW);
    await known.after({ ...by, zones: ['Europe/Vienna'] }, job, NOW - 60, NOW);
    expect(asked).toHaveLength(2);
  });
});
