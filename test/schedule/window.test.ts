import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MaintenanceWindow } from '../../src/config/schema.js';
import { nextAllowed } from '../../src/schedule/window.js';

const ZONES = ['Europe/Vienna', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kolkata', 'UTC'];
const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'] as const;
const MINUTE = 60;

const HALF_HOUR = 30 * MINUTE;

const formats = new Map(
  ZONES.map((timeZone) => [
    timeZone,
    new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'short' }),
  ]),
);
const minuteOfDay = Array.from({ length: 1440 }, (_, minute) =>
  [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0')).join(':'),
);

/**
 * Local day and time of a moment, by the calendar of the runtime and not by the code under test. The runtime is
 * asked once for each half hour: in every zone used here the clock is changed only on one.
 */
function localClock(zone: string) {
  let from = Number.NaN;
  let date = '';
  let begin = 0;
  return (seconds: number) => {
    const half = seconds - (seconds % HALF_HOUR);
    if (half !== from) {
      const [day = '', time = ''] =
        formats
          .get(zone)
          ?.format(half * 1000)
          .split(' ') ?? [];
      from = half;
      date = day;
      begin = minuteOfDay.indexOf(time);
    }
    return { date, time: minuteOfDay[begin + Math.floor((seconds - half) / MINUTE)] ?? '' };
  };
}

/** Days of the week of a date and of the one before it. */
const daysOf = new Map<string, readonly [today: string, yesterday: string]>();
function weekdays(date: string): readonly [today: string, yesterday: string] {
  const known = daysOf.get(date);
  if (known) return known;
  const day = new Date(date).getUTCDay();
  const days = [DAYS[day] ?? 'sun', DAYS[(day + 6) % 7] ?? 'sat'] as const;
  daysOf.set(date, days);
  return days;
}

/** Whether a single minute lies in the window and outside the blackouts: the definition, and nothing else. */
function isOpen(
  { date, time }: { date: string; time: string },
  window: MaintenanceWindow | null,
  blackouts: ReadonlyArray<{ from: string; to: string }>,
): boolean {
  if (blackouts.some(({ from, to }) => from <= date && date <= to)) return false;
  if (!window) return true;
  const { days, from, to } = window;
  const [today, yesterday] = weekdays(date);
  const isOn = (day: string) => days.some((each) => each === day);
  if (to > from) return isOn(today) && time >= from && time < to;
  return (isOn(today) && time >= from) || (isOn(yesterday) && time < to);
}

describe('the calendar of maintenance windows', () => {
  it.each(ZONES)('agrees with a minute-by-minute look at two years in %s', (timezone) => {
    const window: MaintenanceWindow = { days: ['sat', 'sun', 'wed'], from: '22:00', to: '05:00', timezone };
    const blackouts = [
      { from: '2026-03-28', to: '2026-03-28' },
      { from: '2026-12-23', to: '2027-01-02' },
    ];
    const clock = localClock(timezone);
    const begin = Date.parse('2026-01-01T00:00:00Z') / 1000;
    const end = Date.parse('2028-01-01T00:00:00Z') / 1000;
    const stretches: Array<{ from: number; to: number }> = [];
    let open: number | null = null;
    for (let now = begin; now < end; now += MINUTE) {
      const is = isOpen(clock(now), window, blackouts);
      if (is && open === null) open = now;
      if (!is && open !== null) {
        stretches.push({ from: open, to: now });
        open = null;
      }
    }
    const seen: Array<{ from: number; to: number }> = [];
    for (let now = begin; ; ) {
      const next = nextAllowed({ maintenanceWindow: window, blackouts }, now, MINUTE);
      if (!next || next.to > end) break;
      seen.push(next);
      now = next.to;
    }
    expect(seen).toEqual(stretches.filter(({ to }) => to <= (seen.at(-1)?.to ?? 0)));
    expect(seen.length).toBeGreaterThan(250);
  });

  it('never offers a moment that the definition forbids, and none that is too short', () => {
    const time = fc
      .tuple(fc.integer({ min: 0, max: 23 }), fc.integer({ min: 0, max: 59 }))
      .map(([hour, minute]) => `${String(hour).padStart(2, '0')}:${String(minute).padStart(2, '0')}`);
    const window = fc.record({
      days: fc.uniqueArray(fc.constantFrom(...DAYS), { minLength: 1 }),
      from: time,
      to: time,
      timezone: fc.constantFrom(...ZONES),
    });
    const moment = fc.integer({ min: Date.parse('2026-01-01') / 1000, max: Date.parse('2027-12-31') / 1000 });
    fc.assert(
      fc.property(window, moment, fc.integer({ min: 60, max: 7200 }), (maintenanceWindow, now, seconds) => {
        const next = nextAllowed({ maintenanceWindow, blackouts: [] }, now, seconds);
        if (!next) return;
        const clock = localClock(maintenanceWindow.timezone);
        expect(next.from).toBeGreaterThanOrEqual(now);
        expect(next.to - next.from).toBeGreaterThanOrEqual(seconds);
        for (const at of [next.from, next.from + seconds / 2, next.to - 60])
          expect(isOpen(clock(at), maintenanceWindow, [])).toBe(true);
      }),
      { numRuns: 300 },
    );
  });

  it.each([
    [
      'ends with the hour that summer time skips',
      '00:00',
      '02:01',
      '2027-03-14T05:00:00Z',
      '2027-03-14T07:00:00Z',
    ],
    [
      'begins with the second of an hour that comes twice',
      '01:30',
      '04:00',
      '2027-11-07T06:30:00Z',
      '2027-11-07T09:00:00Z',
    ],
    [
      'ends with the first of an hour that comes twice',
      '00:00',
      '01:30',
      '2027-11-07T04:00:00Z',
      '2027-11-07T05:30:00Z',
    ],
  ])('%s', (_, from, to, begins, ends) => {
    const window: MaintenanceWindow = { days: ['sun'], from, to, timezone: 'America/New_York' };
    const now = Date.parse(begins) / 1000 - 3600;
    expect(nextAllowed({ maintenanceWindow: window, blackouts: [] }, now, 60)).toEqual({
      from: Date.parse(begins) / 1000,
      to: Date.parse(ends) / 1000,
    });
  });

  it.each`
    zone                  | from       | begins                    | because
    ${'Asia/Beirut'}      | ${'00:00'} | ${'2026-03-28T22:00:00Z'} | ${'its clocks are put forward at midnight'}
    ${'America/Havana'}   | ${'00:00'} | ${'2026-11-01T05:00:00Z'} | ${'midnight comes twice, and the second counts'}
    ${'Antarctica/Troll'} | ${'02:30'} | ${'2026-03-29T01:00:00Z'} | ${'two hours are skipped'}
  `('begins in $zone at $from on Sunday with $begins: $because', ({ zone, from, begins }) => {
    const window: MaintenanceWindow = { days: ['sun'], from, to: '12:00', timezone: zone };
    const now = Date.parse(begins) / 1000 - 5 * 3600;
    expect(nextAllowed({ maintenanceWindow: window, blackouts: [] }, now, 60)?.from).toBe(
      Date.parse(begins) / 1000,
    );
  });

  it('belongs to the day on which it starts when it runs over midnight', () => {
    const window: MaintenanceWindow = { days: ['sat'], from: '22:00', to: '05:00', timezone: 'UTC' };
    const sunday = Date.parse('2026-11-22T04:00:00Z') / 1000;
    expect(nextAllowed({ maintenanceWindow: window, blackouts: [] }, sunday, 1800)?.from).toBe(sunday);
    expect(nextAllowed({ maintenanceWindow: window, blackouts: [] }, sunday, 7200)?.from).toBe(
      Date.parse('2026-11-28T22:00:00Z') / 1000,
    );
  });
});

describe('a window at its edges', () => {
  const at = (time: string) => Date.parse(`2026-11-${time}:00Z`) / 1000;
  const policy = (from: string, to: string) => ({
    maintenanceWindow: { days: ['tue' as const], from, to, timezone: 'UTC' },
    blackouts: [],
  });
  it.each`
    now           | from       | to         | minutes | begins        | because
    ${'24T01:00'} | ${'02:00'} | ${'02:30'} | ${30}   | ${'24T02:00'} | ${'a run fits that takes all of it'}
    ${'24T02:01'} | ${'02:00'} | ${'02:30'} | ${30}   | ${'01T02:00'} | ${'a minute of it is over'}
    ${'24T03:00'} | ${'22:00'} | ${'22:00'} | ${60}   | ${'24T22:00'} | ${'one that ends when it begins lasts a day'}
    ${'25T21:00'} | ${'22:00'} | ${'22:00'} | ${60}   | ${'25T21:00'} | ${'and on to the next evening'}
  `('from $from to $to at $now begins $begins, since $because', ({ now, from, to, minutes, begins }) => {
    const found = nextAllowed(policy(from, to), at(now), minutes * MINUTE);
    const expected = begins === '01T02:00' ? Date.parse('2026-12-01T02:00:00Z') / 1000 : at(begins);
    expect(found?.from).toBe(expected);
  });
});
