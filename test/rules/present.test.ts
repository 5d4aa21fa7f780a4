import { describe, expect, it } from 'vitest';
import type { Finding } from '../../src/journal/document.js';
import { presentOf } from '../../src/rules/present.js';
import { planWith } from '../../src/schedule/look-ahead.js';
import type { Busy } from '../../src/schedule/plan.js';
import { target } from '../checks/judge.js';
import { HOUR, job, span } from '../schedule/jobs.js';

const block = (id: string, more: Partial<Finding> = {}): Finding =>
  ({ id, status: 'block', summary: `${id} blocks`, detail: {}, retryAfter: null, ...more }) as Finding;
const at = (seconds: number) => ({ retryAfter: new Date((span.from + seconds) * 1000).toISOString() });
const plan = (findings: readonly Finding[], known: readonly Busy[] = [], policy: object = {}) =>
  planWith(known, presentOf(findings, span), target(policy), span, 'UTC');
const startOf = (...given: Parameters<typeof plan>) => {
  const { next } = plan(...given);
  return next && next.from - span.from;
};

describe('a whole run fits now exactly when no check about time or use blocks', () => {
  it.each`
    findings                                                                      | known                | start   | because
    ${[]}                                                                         | ${[]}                | ${0}    | ${'nothing blocks'}
    ${[]}                                                                         | ${[job(-600, HOUR)]} | ${0}    | ${'a job that began and no longer runs has ended early'}
    ${[block('pbs.datastores')]}                                                  | ${[]}                | ${0}    | ${'that is not about time or use'}
    ${[{ ...block('pbs.tasks'), status: 'warn' }]}                                | ${[]}                | ${0}    | ${'a warning does not block'}
    ${[block('pbs.tasks')]}                                                       | ${[]}                | ${null} | ${'no one knows when a task ends'}
    ${[block('pve.backups')]}                                                     | ${[]}                | ${null} | ${'no one knows when a backup ends'}
    ${[block('pve.schedule', { detail: { unknown: ['a'] } })]}                    | ${[]}                | ${null} | ${'when the job runs is not known'}
    ${[block('pve.schedule', { detail: { main: { unknown: ['a'] }, dc2: {} } })]} | ${[]}                | ${null} | ${'the same in one of two clusters'}
    ${[block('pve.schedule', { detail: { error: 'net.timeout' } })]}              | ${[]}                | ${null} | ${'the server did not answer'}
    ${[block('policy.window', { detail: { bootedAt: 1 }, ...at(HOUR) })]}         | ${[]}                | ${HOUR} | ${'it booted lately'}
    ${[block('pve.schedule', at(600))]}                                           | ${[]}                | ${600}  | ${'a job is due that the plan lacks'}
    ${[block('pve.schedule', at(600))]}                                           | ${[job(600, HOUR)]}  | ${4200} | ${'the plan knows better when the job ends'}
    ${[block('pve.schedule')]}                                                    | ${[]}                | ${null} | ${'no end is in sight'}
  `('starts after $start s: $because', ({ findings, known, start }) => {
    expect(startOf(findings, known)).toBe(start);
  });

  it('jobs of PBS that only warn take no time', () => {
    const due = [job(600, HOUR)];
    expect([startOf([], due), startOf([], due, { pbsJobs: 'warn' })]).toEqual([4200, 0]);
  });

  it('the boot is busy time of its own source, until it is old enough', () => {
    const { busy } = plan([block('policy.window', { detail: { bootedAt: 1 }, ...at(HOUR) })]);
    expect(busy).toMatchObject([{ source: 'boot', from: span.from, to: span.from + HOUR, estimated: false }]);
  });

  it('what runs is named, busy from now on', () => {
    const { busy } = plan([block('pbs.tasks')]);
    expect(busy).toMatchObject([
      { source: 'pbs', label: 'pbs.tasks blocks', from: span.from, endless: true },
    ]);
  });
});
