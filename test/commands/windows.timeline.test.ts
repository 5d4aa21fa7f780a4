import { expect, it } from 'vitest';
import { timelineText } from '../../src/commands/windows.js';

const seconds = (iso: string) => Date.parse(iso) / 1000;

it.each`
  zone               | from                      | to                        | slot                                          | because
  ${'Europe/Berlin'} | ${'2026-03-29T00:30:00Z'} | ${'2026-03-29T01:30:00Z'} | ${'Sun 2026-03-29 01:30 +01:00 to 03:30'}     | ${'an hour is left out that night'}
  ${'Europe/Berlin'} | ${'2026-10-25T00:30:00Z'} | ${'2026-10-25T01:30:00Z'} | ${'Sun 2026-10-25 02:30 +02:00 to 02:30'}     | ${'an hour comes twice that night'}
  ${'UTC'}           | ${'2026-11-23T22:00:00Z'} | ${'2026-11-24T02:00:00Z'} | ${'Mon 2026-11-23 22:00 +00:00 to Tue 02:00'} | ${'it ends on another day'}
`('a time of $zone is written by its own clock: $because', ({ zone, from, to, slot }) => {
  const free = { from: seconds(from), to: seconds(to) };
  const plan = { from: free.from, to: free.from + 72 * 3600, busy: [], free: [free], next: free };
  const text = timelineText('pbs01', plan, zone, { color: false, columns: 100 });
  expect(text).toContain(`next         ${slot}\n`);
  expect(text.split('\n').filter((line) => /^ {2}\w{3} \d\d \w{3} {2}/.test(line)).length).toBeGreaterThan(2);
});
