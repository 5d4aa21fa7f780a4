import { Temporal } from 'temporal-polyfill';
import type { MaintenanceWindow, Policy } from '../config/schema.js';

/** An interval, epoch seconds, end excluded. */
export interface Interval {
  readonly from: number;
  readonly to: number;
}

const WEEKDAYS = ['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'] as const;
const LONGEST_SEARCH_DAYS = 400;

/**
 * The first interval of at least `seconds` from `now` on, within the maintenance window and outside every
 * blackout. Null when there is none within a year. Local time: a window that ends
 * before it starts runs over midnight and belongs to the day on which it starts.
 */
export function nextAllowed(
  policy: Pick<Policy, 'maintenanceWindow' | 'blackouts'>,
  now: number,
  seconds: number,
  localZone = Temporal.Now.timeZoneId(),
): Interval | null {
  const zone = policy.maintenanceWindow?.timezone ?? localZone;
  const midnight = (day: string, after: number) =>
    secondsOf(Temporal.PlainDate.from(day).add({ days: after }).toZonedDateTime(zone));
  const blackouts = policy.blackouts.map(({ from, to }) => ({
    from: midnight(from, 0),
    to: midnight(to, 1),
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
  const yesterday = localTime(now, zone).toPlainDate().subtract({ days: 1 });
  for (let day = 0; day <= LONGEST_SEARCH_DAYS; day += 1) {
    const date = yesterday.add({ days: day });
    const weekday = WEEKDAYS[date.dayOfWeek - 1];
    if (!weekday || !window.days.includes(weekday)) continue;
    const over = window.to <= window.from;
    const opening = {
      from: at(date, window.from, zone, 'later'),
      to: at(over ? date.add({ days: 1 }) : date, window.to, zone, 'earlier'),
    };
    if (opening.to > now) yield opening;
  }
}

/**
 * The moment at which local clocks show a time on a day. In the hour that summer time skips it is the end of that
 * hour. In the hour that comes twice a window begins with the `later` and ends with the `earlier`, so that it never
 * contains a moment that its definition excludes.
 */
function at(date: Temporal.PlainDate, time: string, zone: string, which: 'earlier' | 'later'): number {
  const wanted = date.toPlainDateTime(time);
  const found = wanted.toZonedDateTime(zone, { disambiguation: which });
  if (found.toPlainDateTime().equals(wanted)) return secondsOf(found);
  // It is skipped: the earlier reading of it lies before the change.
  const before = wanted.toZonedDateTime(zone, { disambiguation: 'earlier' });
  return secondsOf(before.getTimeZoneTransition('next') ?? found);
}

/** Date and time in a zone. @param moment epoch seconds */
export const localTime = (moment: number, zone: string): Temporal.ZonedDateTime =>
  Temporal.Instant.fromEpochMilliseconds(Math.round(moment * 1000)).toZonedDateTimeISO(zone);

export const secondsOf = ({ epochMilliseconds }: Temporal.ZonedDateTime): number => epochMilliseconds / 1000;

/** The rest of an interval without others. */
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
