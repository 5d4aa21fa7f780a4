import { type CalendarEvent, type Field, parseEvent } from './calendar-event.js';

/**
 * The next moments of a calendar event, strictly after `after`, in the local time zone of the process
 * unless the event ends in `UTC`. Epoch seconds; fewer than `count` when the calendar runs out.
 * @throws Error for an event that cannot be parsed
 */
export function nextRuns(event: string, after: number, count: number): number[] {
  const parsed = parseEvent(event);
  const runs: number[] = [];
  for (let last = after; runs.length < count; ) {
    const next = nextRun(parsed, last);
    if (next === null) break;
    runs.push(next);
    last = next;
  }
  return runs;
}

const ROUNDS = 1000;
const LAST_YEAR = 2200;

/**
 * As the servers' own engine goes about it: on the first part that does not match it jumps to the next value
 * that would, sets the smaller parts to their beginning, lets the calendar carry what is too large, and starts
 * over. So an open-ended step goes on beyond the end of its period (`*:0/7`: after minute 56 comes 63, which is
 * minute 3 of the next hour), and its first values there are left out.
 */
function nextRun(event: CalendarEvent, last: number): number | null {
  let at = Math.floor(last) + 1;
  for (let round = 0; round < ROUNDS; round += 1) {
    const moment = partsOf(at, event.utc);
    const jump = jumpFrom(moment, event);
    if (jump === null) return at;
    if (jump.year >= LAST_YEAR) return null;
    const to = epochOf(jump, event.utc);
    // The hour that a change to winter time repeats: the earlier of the two was chosen, which is past.
    at = to > at ? to : at + (3600 - (at % 3600));
  }
  return null;
}

/** Month from 1, weekday 0 = Sunday. Parts may be larger than their period has room for. */
interface Moment {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const START = { month: 1, day: 1, hour: 0, minute: 0, second: 0 };

/** Where to look next; null when the moment matches. */
function jumpFrom(moment: Moment & { readonly weekday: number }, event: CalendarEvent): Moment | null {
  const { year, month, day, hour, minute, second, weekday } = moment;
  const of = (field: Field, value: number) => (field.has(value) ? null : field.after(value));
  const years = of(event.years, year);
  if (years !== null) return { ...START, year: years };
  const months = of(event.months, month);
  if (months !== null)
    return months === Infinity ? { ...START, year: year + 1 } : { ...START, year, month: months };
  const { hour: h0, minute: m0, second: s0 } = START;
  const days = of(event.days, day);
  if (days !== null) {
    if (days === Infinity) return { ...START, year, month: month + 1 };
    return { year, month, day: days, hour: h0, minute: m0, second: s0 };
  }
  if (!event.weekdays.has(weekday)) return { year, month, day: day + 1, hour: h0, minute: m0, second: s0 };
  const hours = of(event.hours, hour);
  if (hours !== null) {
    if (hours === Infinity) return { year, month, day: day + 1, hour: h0, minute: m0, second: s0 };
    return { year, month, day, hour: hours, minute: m0, second: s0 };
  }
  const minutes = of(event.minutes, minute);
  if (minutes !== null) {
    if (minutes === Infinity) return { year, month, day, hour: hour + 1, minute: m0, second: s0 };
    return { year, month, day, hour, minute: minutes, second: s0 };
  }
  const seconds = of(event.seconds, second);
  if (seconds === null) return null;
  if (seconds === Infinity) return { year, month, day, hour, minute: minute + 1, second: s0 };
  return { year, month, day, hour, minute, second: seconds };
}

function partsOf(epoch: number, utc: boolean): Moment & { readonly weekday: number } {
  const date = new Date(epoch * 1000);
  return utc
    ? {
        year: date.getUTCFullYear(),
        month: date.getUTCMonth() + 1,
        day: date.getUTCDate(),
        hour: date.getUTCHours(),
        minute: date.getUTCMinutes(),
        second: date.getUTCSeconds(),
        weekday: date.getUTCDay(),
      }
    : {
        year: date.getFullYear(),
        month: date.getMonth() + 1,
        day: date.getDate(),
        hour: date.getHours(),
        minute: date.getMinutes(),
        second: date.getSeconds(),
        weekday: date.getDay(),
      };
}

const epochOf = ({ year, month, day, hour, minute, second }: Moment, utc: boolean): number =>
  (utc
    ? Date.UTC(year, month - 1, day, hour, minute, second)
    : new Date(year, month - 1, day, hour, minute, second).getTime()) / 1000;
