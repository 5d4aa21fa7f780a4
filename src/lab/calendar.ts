const DAYS = ['sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat'];
const KEYWORDS: Record<string, string> = {
  minutely: '*:*',
  hourly: '*:0',
  daily: '00:00',
  weekly: 'mon 00:00',
  monthly: '*-1 00:00',
  quarterly: '*-1,4,7,10-1 00:00',
  yearly: '*-1-1 00:00',
};
const LONGEST_SEARCH_DAYS = 1500;

/**
 * The next moments of a calendar event, strictly after `after`, in the local time zone of the process
 * unless the event ends in `UTC`. Epoch seconds; fewer than `count` when the calendar runs out.
 * @throws Error for an event that cannot be parsed
 */
export function nextRuns(event: string, after: number, count: number): number[] {
  const utc = / UTC$/.test(event);
  const plain = event.trim().replace(/ UTC$/, '');
  const { weekdays, months, days, years, hours, minutes } = parse(KEYWORDS[plain] ?? plain);
  const runs: number[] = [];
  const start = new Date(after * 1000);
  for (let day = 0; day <= LONGEST_SEARCH_DAYS && runs.length < count; day += 1) {
    const date = utc
      ? new Date(Date.UTC(start.getUTCFullYear(), start.getUTCMonth(), start.getUTCDate() + day))
      : new Date(start.getFullYear(), start.getMonth(), start.getDate() + day);
    const [year, month, of, weekday] = utc
      ? [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate(), date.getUTCDay()]
      : [date.getFullYear(), date.getMonth(), date.getDate(), date.getDay()];
    if (!weekdays.has(weekday) || !months(month + 1) || !days(of) || !years(year)) continue;
    for (let minute = 0; minute < 1440 && runs.length < count; minute += 1) {
      const [hour, rest] = [Math.floor(minute / 60), minute % 60];
      if (!hours(hour) || !minutes(rest)) continue;
      const at = utc
        ? new Date(Date.UTC(year, month, of, hour, rest))
        : new Date(year, month, of, hour, rest);
      // A local time in the gap of a change to summer time does not exist: that day has no run.
      if (!utc && (at.getHours() !== hour || at.getMinutes() !== rest)) continue;
      const seconds = at.getTime() / 1000;
      if (seconds > after && seconds !== runs.at(-1)) runs.push(seconds);
    }
  }
  return runs;
}

function parse(event: string) {
  const words = event.split(/\s+/).filter(Boolean);
  if (words.length === 0) throw new Error('unable to parse calendar event - empty');
  const time =
    words.find((word) => word.includes(':')) ?? words.find((word) => /^(\d+|\*|[\d,/.]+)$/.test(word));
  const date = words.find((word) => /^[\d*/,.]+-[\d*/,.-]+$/.test(word));
  const named = words.find((word) => word !== time && word !== date);
  if (words.length > [time, date, named].filter(Boolean).length)
    throw new Error(`unable to parse calendar event - ${event}`);
  const parts = date?.split('-') ?? [];
  const [hour, minute] = time?.includes(':')
    ? time.split(':')
    : time === undefined
      ? ['0', '0']
      : ['*', time];
  return {
    weekdays: new Set(named ? weekdaysOf(named) : [0, 1, 2, 3, 4, 5, 6]),
    years: parts.length === 3 ? field(parts[0] ?? '*') : () => true,
    months: date ? field(parts.at(-2) ?? '*') : () => true,
    days: date ? field(parts.at(-1) ?? '*') : () => true,
    hours: field(hour ?? '*'),
    minutes: field(minute ?? '0'),
  };
}

function weekdaysOf(list: string): number[] {
  return list.split(',').flatMap((item) => {
    const [from = '', to] = item
      .toLowerCase()
      .split('..')
      .map((day) => day.slice(0, 3));
    const [first, last] = [DAYS.indexOf(from), DAYS.indexOf(to ?? from)];
    if (first < 0 || last < 0) throw new Error(`unable to parse calendar event - weekday ${item}`);
    return Array.from({ length: ((last - first + 7) % 7) + 1 }, (_, index) => (first + index) % 7);
  });
}

function field(text: string): (value: number) => boolean {
  const tests = text.split(',').map((item) => {
    const match = /^(\*|\d+)(?:\.\.(\d+))?(?:\/(\d+))?$/.exec(item);
    if (!match) throw new Error(`unable to parse calendar event - ${item}`);
    const from = match[1] === '*' ? 0 : Number(match[1]);
    const step = match[3] === undefined ? null : Number(match[3]);
    const open = match[1] === '*' || (step !== null && match[2] === undefined);
    const to = match[2] === undefined ? (open ? Infinity : from) : Number(match[2]);
    return (value: number) =>
      value >= from && value <= to && (step === null || step === 0 || (value - from) % step === 0);
  });
  return (value) => tests.some((test) => test(value));
}
