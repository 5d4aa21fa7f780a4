import { DateTime } from 'luxon';
import type { MaintenanceWindow, Policy } from '../config/schema.js';

/** A stretch of time, epoch seconds, end not included. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const LONGEST_SEARCH_DAYS = 400;

/**
 * The first stretch of at least `seconds` from `now` on that lies whole within the maintenance window
 * and outside every blackout. Null when there is none within a year. Local time: a window that ends
 * before it starts runs over midnight and belongs to the day on which it starts.
 */
export function nextAllowed(
  policy: Pick<Policy, 'maintenanceWindow' | 'blackouts'>,
  now: number,
  seconds: number,
  localZone = DateTime.local().zoneName ?? 'UTC',
): Interval | null {
  const zone = policy.maintenanceWindow?.timezone ?? localZone;
  const blackouts = policy.blackouts.map(({ from, to }) => ({
    from: DateTime.fromISO(from, { zone }).toSeconds(),
    to: DateTime.fromISO(to, { zone }).plus({ days: 1 }).toSeconds(),
  }));
  for (const open of openings(policy.maintenanceWindow, now, zone)) {
    for (const free of without(open, blackouts)) {
      const from = Math.max(free.from, now);
      if (free.to - from >= seconds) return { from, to: free.to };
    }
  }
  return null;
}

function* openings(window: MaintenanceWindow | null, now: number, zone: string): Generator<Interval> {
  if (!window) {
    yield { from: now, to: now + LONGEST_SEARCH_DAYS * 86_400 };
    return;
  }
  const yesterday = DateTime.fromSeconds(now, { zone }).startOf('day').minus({ days: 1 });
  for (let day = 0; day <= LONGEST_SEARCH_DAYS; day += 1) {
    const date = yesterday.plus({ days: day });
    const weekday = WEEKDAYS[date.weekday - 1];
    if (!weekday || !window.days.includes(weekday)) continue;
    const over = window.to <= window.from;
    const opening = {
      from: at(date, window.from, 'begin'),
      to: at(over ? date.plus({ days: 1 }) : date, window.to, 'end'),
    };
    if (opening.to > now) yield opening;
  }
}

/**
 * The moment at which the clock on the wall shows a time on a day. In the hour that summer time skips it is
 * the end of that hour. In the hour that comes twice a window begins with the second and ends with the
 * first, so that it never holds a moment that its own words exclude.
 */
function at(date: DateTime, time: string, edge: 'begin' | 'end'): number {
  const [hour = 0, minute = 0] = time.split(':').map(Number);
  const set = date.set({ hour, minute });
  // Most days have no change of the clock, and each look at the zone is dear.
  if (date.minus({ hours: 1 }).offset === date.plus({ days: 1 }).offset) return set.toSeconds();
  const shows = (moment: DateTime) =>
    moment.hour === hour && moment.minute === minute && moment.hasSame(date, 'day');
  if (!shows(set)) return changeBefore(set).toSeconds();
  // Clocks are set back by an hour, and on Lord Howe Island by half of one.
  const moments = [-60, -30, 0, 30, 60].map((minutes) => set.plus({ minutes })).filter(shows);
  return (edge === 'begin' ? (moments.at(-1) ?? set) : (moments[0] ?? set)).toSeconds();
}

/** The first minute of the offset that holds at a moment; looked for within a few hours. */
function changeBefore(moment: DateTime): DateTime {
  let first = moment.startOf('minute');
  for (let minutes = 0; minutes < 240; minutes += 1) {
    const earlier = first.minus({ minutes: 1 });
    if (earlier.offset !== moment.offset) return first;
    first = earlier;
  }
  return moment;
}

/** What is left of a stretch when others are taken out of it. */
function without(stretch: Interval, taken: readonly Interval[]): Interval[] {
  return taken.reduce<Interval[]>(
    (left, { from, to }) =>
      left
        .flatMap((each) => [
          { from: each.from, to: Math.min(each.to, from) },
          { from: Math.max(each.from, to), to: each.to },
        ])
        .filter((each) => each.to > each.from),
    [stretch],
  );
}
