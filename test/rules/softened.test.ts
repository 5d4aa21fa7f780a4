import { describe, expect, it } from 'vitest';
import { CHECKS, type CheckId } from '../../src/checks/catalogue.js';
import type { Check } from '../../src/checks/check.js';
import type { Finding, FindingId } from '../../src/journal/document.js';
import { isDrainable, softened } from '../../src/rules/softened.js';

const found = (id: FindingId, status: Finding['status'], error?: string): Finding => ({
  id,
  status,
  summary: 'seen',
  detail: error === undefined ? {} : { error },
  retryAfter: '2026-11-23T04:00:00.000Z',
});

/** What softens a check by its own rules. */
const by = (id: CheckId) => (CHECKS.find((each) => each.id === id) as Check).rules.softenedBy;

describe('what a run may continue with', () => {
  it.each`
    id                 | status     | error            | drain  | reason      | softened   | because
    ${'policy.window'} | ${'block'} | ${undefined}     | ${0}   | ${'urgent'} | ${'warn'}  | ${'a person answers for the time'}
    ${'pve.schedule'}  | ${'block'} | ${undefined}     | ${0}   | ${'urgent'} | ${'warn'}  | ${'the schedule is about the time'}
    ${'pbs.jobs'}      | ${'block'} | ${undefined}     | ${0}   | ${'urgent'} | ${'warn'}  | ${'so are the jobs of PBS'}
    ${'policy.window'} | ${'block'} | ${undefined}     | ${0}   | ${null}     | ${'block'} | ${'no one answers for it'}
    ${'policy.window'} | ${'block'} | ${'net.timeout'} | ${0}   | ${'urgent'} | ${'block'} | ${'what could not be seen is not known'}
    ${'pbs.tasks'}     | ${'block'} | ${undefined}     | ${0}   | ${'urgent'} | ${'block'} | ${'a reason stops no task'}
    ${'pbs.tasks'}     | ${'block'} | ${undefined}     | ${600} | ${null}     | ${'warn'}  | ${'the drain waits for tasks'}
    ${'pve.backups'}   | ${'block'} | ${undefined}     | ${600} | ${null}     | ${'warn'}  | ${'the drain waits for backups'}
    ${'pbs.tasks'}     | ${'block'} | ${'net.timeout'} | ${600} | ${null}     | ${'block'} | ${'what could not be seen cannot be waited for'}
    ${'pve.patching'}  | ${'block'} | ${undefined}     | ${600} | ${'urgent'} | ${'block'} | ${'nothing softens it'}
    ${'pbs.tasks'}     | ${'pass'}  | ${undefined}     | ${600} | ${'urgent'} | ${'pass'}  | ${'there is nothing to soften'}
  `(
    '$id that says "$status" counts as "$softened": $because',
    ({ id, status, error, drain, reason, softened: expected }) => {
      const finding = softened(found(id, status, error), by(id), { drainMs: drain, ignoredWindow: reason });
      expect(finding.status).toBe(expected);
    },
  );

  it.each`
    id                | status     | error            | drainable | because
    ${'pbs.tasks'}    | ${'block'} | ${undefined}     | ${true}   | ${'a task ends'}
    ${'pve.backups'}  | ${'block'} | ${undefined}     | ${true}   | ${'a backup ends'}
    ${'pbs.tasks'}    | ${'pass'}  | ${undefined}     | ${false}  | ${'there is nothing to drain'}
    ${'pbs.tasks'}    | ${'block'} | ${'net.timeout'} | ${false}  | ${'whether there is cannot be seen'}
    ${'pve.schedule'} | ${'block'} | ${undefined}     | ${false}  | ${'it has not begun'}
    ${'guest.vm'}     | ${'block'} | ${undefined}     | ${false}  | ${'no drain helps there'}
  `('$id that says "$status" is drainable: $drainable, $because', ({ id, status, error, drainable }) => {
    expect(isDrainable(found(id, status, error), by(id))).toBe(drainable);
  });

  it('keeps the reason in its line, and no moment at which it would be over', () => {
    expect(
      softened(found('policy.window', 'block'), by('policy.window'), { ignoredWindow: 'CVE-2026-1' }),
    ).toMatchObject({
      summary: 'seen; ignored: CVE-2026-1',
      retryAfter: null,
    });
  });
});
