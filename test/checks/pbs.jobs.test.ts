import { describe, expect, it } from 'vitest';
import { pbsJobs } from '../../src/checks/pbs.jobs.js';
import { judge as judgeCheck, NOW } from './judge.js';

const judge = (
  _: typeof pbsJobs,
  jobs: readonly object[],
  policy: object = {},
  unknown: string | null = null,
) => judgeCheck(pbsJobs, { jobs, unknown }, policy);

describe('pbs.jobs', () => {
  const job = (nextRun: number | null, more: object = {}) => ({
    kind: 'verify',
    id: 'v1',
    store: 'tank',
    schedule: 'daily',
    disabled: false,
    running: false,
    nextRun,
    ...more,
  });
  it.each([
    ['in an hour', NOW + 3600, 'pass'],
    ['at the very end of run and margin', NOW + 45 * 60, 'block'],
    ['a second later', NOW + 45 * 60 + 1, 'pass'],
    ['in the past, so at any moment', NOW - 100, 'block'],
    ['never again', null, 'pass'],
  ])('judges a job that is due %s', (_, nextRun, status) =>
    expect(judge(pbsJobs, [job(nextRun)]).status).toBe(status));
  it('lets a disabled job and one without a schedule pass', () =>
    expect(
      judge(pbsJobs, [job(NOW + 60, { disabled: true }), job(NOW + 60, { schedule: null })]).status,
    ).toBe('pass'));
  it('only warns where the policy says so', () =>
    expect(judge(pbsJobs, [job(NOW + 60)], { pbsJobs: 'warn' }).status).toBe('warn'));
  it('is expected to be over a margin after the last job', () =>
    expect(judge(pbsJobs, [job(NOW + 60), job(NOW + 600)]).retryAt).toBe(NOW + 600 + 900));
  it('blocks where a datastore that hangs hides when garbage collection is due', () =>
    expect(judge(pbsJobs, [job(NOW + 3600)], {}, 'no answer: tank hangs')).toMatchObject({
      status: 'block',
      summary: 'garbage collection: no answer: tank hangs',
    }));
});
