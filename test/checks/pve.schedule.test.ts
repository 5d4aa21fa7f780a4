import { describe, expect, it } from 'vitest';
import { pveSchedule } from '../../src/checks/pve.schedule.js';
import { judge, NOW } from './judge.js';

// A run takes 30 minutes and keeps a margin of 15 before the next backup.
const NEED = 45 * 60;
const MARGIN = 15 * 60;

describe('pve.schedule', () => {
  const job = (runs: number[] | null, more: object = {}) => ({
    id: 'nightly',
    destination: 'here',
    needed: [],
    doubt: null,
    repeatMissed: false,
    runs,
    ...more,
  });
  const judged = (...jobs: object[]) => judge(pveSchedule, [['main', jobs]]);

  it.each([
    ['at the very end of run and margin', [NOW + NEED], 'block'],
    ['a second later', [NOW + NEED + 1], 'pass'],
    ['half a minute ago, and so perhaps not yet a task', [NOW - 30, NOW + 86_400], 'block'],
    ['never again', [], 'pass'],
    ['at a time that cannot be known', null, 'block'],
  ])('judges a job that runs %s', (_, runs, status) => expect(judged(job(runs)).status).toBe(status));

  it('blocks for a job that may write here', () =>
    expect(judged(job([NOW + 60], { destination: 'unknown' })).summary).toContain('may write here'));

  it('blocks for a job that backs up the VM of this host, wherever it writes', () =>
    expect(judged(job([NOW + 60], { destination: 'elsewhere', needed: [900] })).summary).toContain(
      'backs up guest 900',
    ));

  it('is over a margin after the last run that blocks', () =>
    expect(judged(job([NOW + 60, NOW + 1200, NOW + 86_400])).retryAt).toBe(NOW + 1200 + MARGIN));

  it('promises nothing beyond the runs that were requested', () =>
    expect(judged(job([NOW + 60, NOW + 600], { goesOn: true })).retryAt).toBeUndefined());
});
