import { describe, expect, it } from 'vitest';
import { neverFits } from '../../src/schedule/never.js';
import type { Busy } from '../../src/schedule/plan.js';
import { target } from '../checks/judge.js';
import { HOUR, span } from './jobs.js';

// Case 52: a run takes 30 minutes, and 15 more are to be free after it.

const DAY = 24 * HOUR;
const days = { from: span.from, to: span.from + 14 * DAY };
const every = (minutes: number, label = 'backup backup-db', more: Partial<Busy> = {}): Busy[] =>
  Array.from({ length: (15 * DAY) / (minutes * 60) }, (_, index) => {
    const from = days.from + index * minutes * 60;
    return { from, to: from + HOUR, source: 'pve:main', label, estimated: true, ...more };
  });
const ask = (busy: readonly Busy[], policy: object = {}) => neverFits(busy, target(policy), days, 'UTC');

describe('no gap ever', () => {
  it('is told with the job that leaves no room, and with what would change it', () => {
    const never = ask([...every(15), ...every(600, 'backup other')]);
    expect(never?.why).toBe('no gap of 45 minutes in the next 14 days: backup backup-db (every 15 min)');
    expect(never?.hint).toMatch(
      /^Waiting does not help\..*\npbs-ctl patch --host pbs01 --ignore-window REASON$/s,
    );
  });

  it('is told of jobs that only together leave no room', () => {
    const shifted = every(60).map((each) => ({ ...each, from: each.from + 1800, to: each.to + 1800 }));
    const never = ask([...every(60, 'backup a'), ...shifted]);
    expect(never?.why).toMatch(/: backup a \(every 60 min\), backup backup-db \(every 60 min\) together$/);
  });

  it.each`
    what                                | busy                                                       | policy                                                | because
    ${'a job every 46 minutes'}         | ${every(46)}                                               | ${{}}                                                 | ${'a run fits, however long past runs took'}
    ${'a job every quarter of an hour'} | ${every(15)}                                               | ${{ maintenanceDuration: '10m', backupMargin: '1m' }} | ${'a run is short'}
    ${'jobs of PBS that only warn'}     | ${every(15, 'sync s1', { source: 'pbs' })}                 | ${{ pbsJobs: 'warn' }}                                | ${'they block nothing'}
    ${'a task that runs now'}           | ${every(1e4, 'backup', { endless: true, to: days.to })}    | ${{}}                                                 | ${'it ends some day'}
    ${'what a server did not tell'}     | ${every(1e4, 'backup', { unanswered: true, to: days.to })} | ${{}}                                                 | ${'it is not known'}
  `('is not said of $what: $because', ({ busy, policy }) => expect(ask(busy, policy)).toBeNull());

  it('is told of a schedule that has more runs than were listed', () =>
    expect(ask([{ ...(every(15)[0] as Busy), to: days.to, goesOn: true }])).not.toBeNull());
});
