/** One part of a calendar event. */
export interface Field {
  has(value: number): boolean;
  /** The next value after this one, perhaps beyond the end of the period; Infinity where there is none. */
  after(value: number): number;
}

export interface CalendarEvent {
  readonly utc: boolean;
  readonly weekdays: ReadonlySet<number>;
  readonly years: Field;
  readonly months: Field;
  readonly days: Field;
  readonly hours: Field;
  readonly minutes: Field;
  readonly seconds: Field;
}

const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const KEYWORDS: Readonly<Record<string, string>> = {
  minutely: '*:*',
  hourly: '*:0',
  daily: '00:00',
  weekly: 'mon 00:00',
  monthly: '*-1 00:00',
  quarterly: '*-1,4,7,10-1 00:00',
  semiannually: '*-1,7-1 00:00',
  'semi-annually': '*-1,7-1 00:00',
  yearly: '*-1-1 00:00',
  annually: '*-1-1 00:00',
};

/** `[WEEKDAYS] [[YEAR-]MONTH-DAY] [[HOUR:]MINUTE[:SECOND]] [UTC]` @throws Error for what is none */
export function parseEvent(event: string): CalendarEvent {
  const utc = / UTC$/.test(event);
  const plain = event.replace(/ UTC$/, '');
  const words = (KEYWORDS[plain] ?? plain).split(/\s+/);
  if (event.trim() === '' || words.includes('')) throw unparsable(event);
  const take = (kind: RegExp) => {
    const [first] = words;
    return first !== undefined && kind.test(first) ? words.shift() : undefined;
  };
  const weekdays = take(/^[a-z]/i);
  const date = take(/^[\d*/,.]+(?:-[\d*/,.]+){1,2}$/);
  const time = take(/^[\d*/,.]+(?::[\d*/,.]+){0,2}$/);
  if (words.length > 0 || (weekdays ?? date ?? time) === undefined) throw unparsable(event);
  const [day = '*', month = '*', year = '*'] = date?.split('-').reverse() ?? [];
  const [hour = '0', minute = '0', second = '0'] = timeOf(time);
  const read = (text: string, limits: readonly [number, number]) => field(text, limits, event);
  return {
    utc,
    weekdays: new Set(weekdays === undefined ? DAYS.keys() : weekdaysOf(weekdays, event)),
    years: read(year, [1970, 2199]),
    months: read(month, [1, 12]),
    days: read(day, [1, 31]),
    hours: read(hour, [0, 23]),
    minutes: read(minute, [0, 59]),
    seconds: read(second, [0, 59]),
  };
}

/** A single number is a minute; two are hour and minute. */
function timeOf(time: string | undefined): string[] {
  if (time === undefined) return [];
  const parts = time.split(':');
  if (parts.length === 1) return ['*', time];
  // What cannot be an hour is taken for minute and second.
  return parts.length === 2 && /^\d+$/.test(parts[0] ?? '') && Number(parts[0]) > 23
    ? ['*', ...parts]
    : parts;
}

function weekdaysOf(list: string, event: string): number[] {
  return list.split(',').flatMap((item) => {
    const [from = '', to = from] = item.toLowerCase().split('..');
    const [first, last] = [from, to].map((day) =>
      DAYS.findIndex((short) => day === short || (day.startsWith(short) && day.endsWith('day'))),
    ) as [number, number];
    if (first < 0 || last < 0) throw unparsable(event);
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, index) => (first + index) % 7);
  });
}

interface Range {
  readonly from: number;
  readonly to: number;
  readonly step: number;
}

function field(text: string, [least, most]: readonly [number, number], event: string): Field {
  const ranges = text.split(',').map((item): Range => {
    const [, star, from, to, step] = /^(?:(\*)|(\d+)(?:\.\.(\d+))?)(?:\/(\d+))?$/.exec(item) ?? [];
    if (star === undefined && from === undefined) throw unparsable(event);
    const first = star === undefined ? Number(from) : least;
    const each = step === undefined ? 1 : Number(step);
    if (star !== undefined && step !== undefined && each < 1) throw unparsable(event);
    // A step without an end goes on for ever; without a step one number is that number.
    const open = star !== undefined || (to === undefined && step !== undefined && each > 0);
    const end = to === undefined ? (open ? Infinity : first) : Number(to);
    if (first < least || first > most || (to !== undefined && (end < first || end > most)))
      throw unparsable(event);
    return { from: first, to: end, step: each === 0 ? Infinity : each };
  });
  const inRange = (value: number, { from, to, step }: Range) =>
    value >= from && value <= to && (value === from || (value - from) % step === 0);
  const next = (value: number, { from, to, step }: Range) => {
    if (value < from) return from;
    const following = from + (Math.floor((value - from) / step) + 1) * step;
    return following <= to ? following : Infinity;
  };
  return {
    has: (value) => ranges.some((range) => inRange(value, range)),
    after: (value) => Math.min(...ranges.map((range) => next(value, range))),
  };
}

const unparsable = (event: string) => new Error(`unable to parse calendar event - ${event}`);
