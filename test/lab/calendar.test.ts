import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { nextRuns } from '../../src/lab/calendar.js';

// What the servers' own engine answers, in their local time: the time zone is that of a run of it.
const before = process.env.TZ;
beforeAll(() => {
  process.env.TZ = 'Europe/Vienna';
});
afterAll(() => {
  if (before === undefined) delete process.env.TZ;
  else process.env.TZ = before;
});

const local = (text: string) => new Date(text).getTime() / 1000;
const shown = (epoch: number) => {
  const date = new Date(epoch * 1000);
  const two = (value: number) => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const seconds = date.getSeconds() === 0 ? '' : `:${two(date.getSeconds())}`;
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}${seconds}`;
};

describe('the calendar of the lab', () => {
  it.each<[event: string, ...runs: string[]]>([
    ['minutely', '2026-03-25 10:31', '2026-03-25 10:32'],
    ['*', '2026-03-25 10:31', '2026-03-25 10:32'],
    ['hourly', '2026-03-25 11:00', '2026-03-25 12:00'],
    ['0', '2026-03-25 11:00', '2026-03-25 12:00'],
    ['22', '2026-03-25 11:22', '2026-03-25 12:22'],
    ['*:0/15', '2026-03-25 10:45', '2026-03-25 11:00'],
    ['*:5/20', '2026-03-25 10:45', '2026-03-25 11:05'],
    ['0/2:30', '2026-03-25 12:30', '2026-03-25 14:30'],
    ['2..6/2:0', '2026-03-26 02:00', '2026-03-26 04:00', '2026-03-26 06:00', '2026-03-27 02:00'],
    ['22:00:30', '2026-03-25 22:00:30', '2026-03-26 22:00:30'],
    ['mon..fri 22:00', '2026-03-25 22:00', '2026-03-26 22:00'],
    ['sat,sun 03:15', '2026-03-28 03:15', '2026-03-29 03:15'],
    ['fri..mon 1:00', '2026-03-27 01:00', '2026-03-28 01:00'],
    ['daily', '2026-03-26 00:00', '2026-03-27 00:00'],
    ['weekly', '2026-03-30 00:00', '2026-04-06 00:00'],
    ['monthly', '2026-04-01 00:00', '2026-05-01 00:00'],
    ['sat *-1..7 01:00', '2026-04-04 01:00', '2026-05-02 01:00'],
    ['*/2-1', '2026-05-01 00:00', '2026-07-01 00:00'],
    ['*-*-31', '2026-03-31 00:00', '2026-05-31 00:00'],
    ['*-02-29', '2028-02-29 00:00', '2032-02-29 00:00'],
    ['quarterly', '2026-04-01 00:00', '2026-07-01 00:00'],
    ['semiannually', '2026-07-01 00:00', '2027-01-01 00:00'],
    ['yearly', '2027-01-01 00:00'],
    ['daily UTC', '2026-03-26 01:00', '2026-03-27 01:00'],
    ['24:00', '2026-03-25 11:24', '2026-03-25 12:24'],
  ])('runs "%s" when the servers do', (event, ...runs) => {
    expect(nextRuns(event, 1_774_431_015, runs.length).map(shown)).toEqual(runs);
  });

  it.each<[event: string, ...runs: string[]]>([
    [
      '*:0/7',
      '2026-03-25 10:35',
      '2026-03-25 10:42',
      '2026-03-25 10:49',
      '2026-03-25 10:56',
      '2026-03-25 11:07',
    ],
    ['0/5:0', '2026-03-25 15:00', '2026-03-25 20:00', '2026-03-26 05:00'],
    ['*-1/7', '2026-03-29 00:00', '2026-04-08 00:00'],
    [
      '*:0..59/7',
      '2026-03-25 10:35',
      '2026-03-25 10:42',
      '2026-03-25 10:49',
      '2026-03-25 10:56',
      '2026-03-25 11:00',
    ],
  ])('PBS 34: leaves out the first slots of a period where the steps of "%s" have no end', (event, ...runs) => {
    expect(nextRuns(event, 1_774_431_015, runs.length).map(shown)).toEqual(runs);
  });

  it.each([
    ['2026-12-24 18:00', ['2026-12-24 18:00']],
    ['2025-01-01', []],
    ['02-30', []],
  ])('knows when "%s" is over', (event, runs) => {
    expect(nextRuns(event, 1_774_431_015, 2).map(shown)).toEqual(runs);
  });

  it.each([
    ['02:30', '2026-03-28T23:59', '2026-03-30 02:30'],
    ['sun 02:30', '2026-03-28T23:59', '2026-04-05 02:30'],
    ['hourly', '2026-03-29T01:00', '2026-03-29 03:00'],
    ['hourly', '2026-10-25T02:00', '2026-10-25 03:00'],
  ])('has no run of "%s" in the hour that is missing, and one in the hour that comes twice', (event, last, run) => {
    expect(nextRuns(event, local(last), 1).map(shown)).toEqual([run]);
  });

  it.each([
    'Daily',
    'daily 10:00',
    '1,15 00:00',
    '22:',
    '0:60',
    '*/0:0',
    '6..4:0',
    'mon/2',
    '~1 00:00',
    '22:00 Europe/Berlin',
    ' 10:00',
    '',
  ])('refuses "%s" like the servers', (event) =>
    expect(() => nextRuns(event, 0, 1)).toThrow('unable to parse calendar event'));
});
