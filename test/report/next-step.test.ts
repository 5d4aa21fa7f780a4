import { describe, expect, it } from 'vitest';
import { nextStep } from '../../src/report/next-step.js';
import { document } from './documents.js';

const error = (code: string) => ({ code, message: 'what was seen', hint: null });
const left = { fenced: ['tank'], locks: ['main'] };

describe('the next step', () => {
  it.each([
    ['a validation that failed', { outcome: 'unverified', error: error('verify.failed') }],
    ['an upgrade that failed', { outcome: 'failed', phase: 'upgrade', error: error('upgrade.failed') }],
    ['a host that did not come back', { outcome: 'failed', phase: 'wait', error: error('reboot.not-back') }],
    ['whatever else left something behind', { outcome: 'failed', phase: 'drain', error: error('internal') }],
  ] as const)('after %s is to recover, and then to go on', (_, changes) => {
    expect(nextStep(document({ ...changes, leftBehind: left }))).toMatchObject({
      command: 'pbs-ctl recover --host pbs01',
      alternative: { command: 'pbs-ctl patch --host pbs01' },
    });
  });

  it('after an upgrade that outlasted its time is to attach to it again', () => {
    const doc = document({
      outcome: 'failed',
      error: error('upgrade.timeout'),
      leftBehind: left,
    });
    expect(nextStep(doc)?.command).toBe('pbs-ctl patch --host pbs01');
  });

  it('after a failure that touched nothing is to look, and to recover nothing', () => {
    const doc = document({
      outcome: 'failed',
      phase: 'preflight',
      reboot: null,
      error: error('internal'),
      leftBehind: { fenced: [], locks: [] },
    });
    expect(nextStep(doc)?.command).toBe('pbs-ctl preflight --host pbs01');
  });
});
