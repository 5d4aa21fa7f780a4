import { describe, expect, it } from 'vitest';
import { EXIT, Fault } from '../../src/fault.js';
import { consequenceOf, heldBack } from '../../src/rules/failure.js';

const fault = (exitCode: 1 | 3 | 75 | 130) => new Fault('seen', 'seen', { exitCode });
const later = fault(EXIT.tryLater);
const failed = fault(EXIT.failed);
const unverified = fault(EXIT.unverified);
const signal = fault(EXIT.interrupted);

const nothing = { upgraded: [], installed: [], removed: [], held: ['zfs'], keptBack: [] };
const something = { ...nothing, upgraded: [{ name: 'libssl3', from: '1', to: '2' }] };
const asked = { requestedAt: '', before: { bootTime: 1, bootId: null }, downAt: null, upAt: null };

describe('what a failed phase takes back', () => {
  it.each`
    upgrade        | changes      | reboot   | error         | takesBack | outcome             | keepsConsole | because
    ${'not-begun'} | ${null}      | ${null}  | ${later}      | ${true}   | ${'postponed'}      | ${false}     | ${'nothing has begun'}
    ${'not-begun'} | ${null}      | ${null}  | ${failed}     | ${true}   | ${'failed'}         | ${false}     | ${'nothing has begun, whatever failed'}
    ${'not-begun'} | ${null}      | ${null}  | ${signal}     | ${true}   | ${'interrupted'}    | ${false}     | ${'nothing has begun when the signal comes'}
    ${'begun'}     | ${null}      | ${null}  | ${failed}     | ${false}  | ${'failed'}         | ${false}     | ${'the upgrade may still run'}
    ${'begun'}     | ${null}      | ${null}  | ${signal}     | ${false}  | ${'interrupted'}    | ${false}     | ${'the upgrade continues without us'}
    ${'failed'}    | ${something} | ${null}  | ${later}      | ${false}  | ${'postponed'}      | ${false}     | ${'packages are half installed'}
    ${'done'}      | ${nothing}   | ${null}  | ${later}      | ${true}   | ${'postponed'}      | ${false}     | ${'nothing was to be upgraded'}
    ${'done'}      | ${nothing}   | ${null}  | ${unverified} | ${true}   | ${'unverified'}     | ${false}     | ${'nothing was changed that could be at fault'}
    ${'done'}      | ${something} | ${null}  | ${later}      | ${true}   | ${'reboot-pending'} | ${false}     | ${'the reboot can wait for the next run'}
    ${'done'}      | ${something} | ${null}  | ${unverified} | ${false}  | ${'unverified'}     | ${false}     | ${'the host is not as it was'}
    ${'done'}      | ${something} | ${null}  | ${signal}     | ${false}  | ${'interrupted'}    | ${false}     | ${'the next run goes on'}
    ${'done'}      | ${something} | ${asked} | ${failed}     | ${false}  | ${'failed'}         | ${true}      | ${'the host is not back'}
    ${'done'}      | ${nothing}   | ${asked} | ${unverified} | ${false}  | ${'unverified'}     | ${true}      | ${'it is back and not as it was'}
    ${'done'}      | ${something} | ${asked} | ${later}      | ${false}  | ${'postponed'}      | ${false}     | ${'it cannot be reached for a moment'}
    ${'done'}      | ${something} | ${asked} | ${signal}     | ${false}  | ${'interrupted'}    | ${false}     | ${'it boots without us'}
  `(
    'takesBack: $takesBack, outcome: $outcome when $because',
    ({ upgrade, changes, reboot, error, takesBack, outcome, keepsConsole }) => {
      const consequence = consequenceOf({ upgrade, changes, reboot }, error);
      expect(consequence).toMatchObject({ takesBack, outcome, keepsConsole });
      // Where packages have changed and nothing has verified the host.
      expect(consequence.looksFirst).toBe(outcome === 'reboot-pending');
    },
  );

  it('leaves fence and lock where something holds back the fence, for a person to look', () => {
    const state = { upgrade: 'done', changes: something, reboot: null } as const;
    expect(heldBack(consequenceOf(state, later))).toMatchObject({ takesBack: false, outcome: 'failed' });
  });
});
