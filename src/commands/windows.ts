import type { Temporal } from 'temporal-polyfill';
import { outlook } from '../checks/outlook.js';
import { EXIT } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import { oneLine } from '../printable.js';
import { hintLines, labelled, type Paint, painter, type Style, textWidth, wrap } from '../report/layout.js';
import type { Busy, Plan } from '../schedule/plan.js';
import { type Interval, localTime, secondsOf } from '../schedule/window.js';
import type { Command, HostOptions } from './context.js';
import { eachHost } from './each-host.js';

interface WindowsOptions extends HostOptions {
  readonly hours: number | undefined;
}

const DEFAULT_HOURS = 72;

export const windows: Command<WindowsOptions> = async (context, options) => {
  const { hours = DEFAULT_HOURS } = options;
  let complete = true;
  await eachHost(context, options, async ({ target, answers }) => {
    const { plan, zone, never } = await outlook(answers(null), hours);
    complete &&= !plan.busy.some(({ unanswered }) => unanswered);
    return {
      document: { ...documentOf(target.host, plan, zone), never },
      text: timelineText(target.host, plan, zone, context.style, never),
    };
  });
  return complete ? EXIT.done : EXIT.tryLater;
};

const documentOf = (host: string, { from, to, busy, free, next }: Plan, timezone: string) => ({
  host,
  from: isoFromSeconds(from),
  to: isoFromSeconds(to),
  timezone,
  busy: busy.map((each) => ({
    start: isoFromSeconds(each.from),
    end: isoFromSeconds(each.to),
    source: each.source,
    label: each.label,
    estimated: each.estimated,
  })),
  free: free.map((each) => ({ start: isoFromSeconds(each.from), end: isoFromSeconds(each.to) })),
  next: next && { start: isoFromSeconds(next.from), end: isoFromSeconds(next.to) },
});

const CELLS_A_DAY = 48;
const SIGN = { busy: '█', free: '─', closed: '·', past: ' ' } as const;

/** A row per local day, a letter per half hour; then the times. Pure. */
export function timelineText(
  host: string,
  plan: Plan,
  zone: string,
  style: Style,
  never: Never = null,
): string {
  const paint = painter(style.color);
  const lines = [
    `${paint('strong', oneLine(host))}: ${fits(plan, zone, paint)} (${zone})`,
    ...(never ? wrap(never.why, textWidth(style)).map((line) => `  ${line}`) : []),
    ...(never ? hintLines(never.hint, textWidth(style)).map((line) => `  ${line}`) : []),
    '',
    `              0     3     6     9     12    15    18    21    24`,
    ...days(plan, zone).map(
      ({ label, cells }) =>
        `  ${label}  ${cells.map((cell) => (cell === 'free' ? paint('good', SIGN[cell]) : SIGN[cell])).join('')}`,
    ),
    '',
    `  ${SIGN.busy} busy   ${paint('good', SIGN.free)} free for a run   ${SIGN.closed} neither`,
    '',
  ];
  const width = textWidth(style);
  const jobs = new Map<string, Busy[]>();
  for (const each of plan.busy) {
    const key = `${each.label} (${each.source})`;
    jobs.set(key, [...(jobs.get(key) ?? []), each]);
  }
  for (const [name, times] of [...jobs].slice(0, 12)) {
    const [first] = times;
    const more = times.length > 1 ? `, ${times.length} times in all` : '';
    if (first) lines.push(...labelled(paint, 'busy', wrap(`${name}: ${timeOf(first, zone)}${more}`, width)));
  }
  if (jobs.size > 12) lines.push(`  … and ${jobs.size - 12} more jobs (--json lists them)`);
  for (const slot of plan.free.slice(0, 6))
    lines.push(...labelled(paint, 'free', [range(slot, zone)], 'good'));
  if (plan.free.length > 6)
    lines.push(...labelled(paint, '', [`and ${plan.free.length - 6} more later (--json lists them)`]));
  if (plan.next)
    lines.push(
      ...labelled(
        paint,
        'next',
        [range(plan.next, zone), `  ${commandFor(host, plan.next.from - plan.from)}`],
        'strong',
      ),
    );
  return `${lines.join('\n')}\n`;
}

type Never = Awaited<ReturnType<typeof outlook>>['never'];

function fits({ from, next, busy }: Plan, zone: string, paint: Paint): string {
  if (next)
    return next.from <= from ? 'a whole run fits now' : `a whole run fits at ${moment(next.from, zone)}`;
  const endless = busy.some((each) => each.endless || each.unanswered);
  return paint('careful', endless ? 'when a whole run fits is not known' : 'no whole run fits');
}

const commandFor = (host: string, seconds: number) =>
  `pbs-ctl patch --host ${host}${seconds < 60 ? '' : ` --wait ${Math.ceil(seconds / 3600)}h`}`;

const timeOf = (busy: Busy, zone: string): string =>
  busy.endless
    ? 'from now on, until when is not known'
    : `${range(busy, zone)}${busy.estimated ? ' or so' : ''}`;

type Cell = keyof typeof SIGN;

function days(plan: Plan, zone: string): Array<{ label: string; cells: Cell[] }> {
  const rows: Array<{ label: string; cells: Cell[] }> = [];
  for (
    let day = localTime(plan.from, zone).startOfDay();
    secondsOf(day) < plan.to;
    day = day.add({ days: 1 })
  ) {
    const cells = Array.from({ length: CELLS_A_DAY }, (_, index): Cell => {
      // By local time: on a day of 23 or 25 hours a cell is missing, or is two hours.
      const from = secondsOf(day.with({ hour: Math.floor(index / 2), minute: (index % 2) * 30 }));
      return cellOf(plan, { from, to: from + 1800 });
    });
    const date = String(day.day).padStart(2, '0');
    rows.push({ label: `${english(day, 'weekday')} ${date} ${english(day, 'month')}`, cells });
  }
  return rows;
}

function cellOf(plan: Plan, cell: Interval): Cell {
  const within = (stretch: Interval) => stretch.from < cell.to && stretch.to > cell.from;
  if (cell.to <= plan.from || cell.from >= plan.to) return 'past';
  if (plan.busy.some(within)) return 'busy';
  return plan.free.some((free) => free.from <= cell.from && free.to >= cell.to) ? 'free' : 'closed';
}

const english = (at: Temporal.ZonedDateTime, part: 'weekday' | 'month') =>
  at.toLocaleString('en', { [part]: 'short' });
const clock = (at: Temporal.ZonedDateTime) => at.toPlainTime().toString({ smallestUnit: 'minute' });

/** "Mon 2026-11-23 03:00 +01:00" */
function moment(seconds: number, zone: string): string {
  const at = localTime(seconds, zone);
  return `${english(at, 'weekday')} ${at.toPlainDate()} ${clock(at)} ${at.offset}`;
}

function range({ from, to }: Interval, zone: string): string {
  const [begin, end] = [localTime(from, zone), localTime(to, zone)];
  const sameDay = begin.toPlainDate().equals(end.toPlainDate());
  return `${moment(from, zone)} to ${sameDay ? '' : `${english(end, 'weekday')} `}${clock(end)}`;
}
