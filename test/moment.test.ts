import { expect, it } from 'vitest';
import {
  isoFromMs,
  isoFromSeconds,
  localClock,
  localMoment,
  utcClock,
  utcDay,
  utcMoment,
} from '../src/moment.js';

const ISO = '2026-11-23T02:04:09.500Z';

it('writes a moment for documents, for people here and for people anywhere', () => {
  expect(isoFromMs(Date.parse(ISO))).toBe(ISO);
  expect(isoFromSeconds(1_795_399_449.5)).toBe(ISO);
  expect(utcMoment(ISO)).toBe('2026-11-23 02:04 UTC');
  expect(utcClock(ISO)).toBe('02:04:09');
  expect(utcDay(new Date(ISO))).toBe('2026-11-23');
});

it('says with the local time how far it is from UTC, so that it can be read back', () => {
  const local = localMoment(ISO);
  expect(local).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d [+-]\d\d:\d\d$/);
  expect(Date.parse(local.replace(' ', 'T').replace(' ', ''))).toBe(Date.parse('2026-11-23T02:04:09Z'));
  expect(localClock(Date.parse(ISO))).toBe(local.slice(11, 19));
});

it.each([localMoment, utcMoment, utcClock])('leaves what is not a moment as it came: %o', (write) => {
  expect(write('soon')).toBe('soon');
});
