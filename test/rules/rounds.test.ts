import { describe, expect, it } from 'vitest';
import { gateVerdict, timeNeeded } from '../../src/rules/rounds.js';

const MINUTE = 60_000;
const policy = { maintenanceDuration: 30 * MINUTE };

describe('the time that has to fit', () => {
  it.each`
    round          | worked   | drainLeft | minutes | because
    ${'preflight'} | ${0}     | ${0}      | ${30}   | ${'a whole run is ahead'}
    ${'preflight'} | ${0}     | ${60}     | ${90}   | ${'something is there to drain, which may take an hour'}
    ${'recheck'}   | ${0}     | ${60}     | ${90}   | ${'so it is under the lock'}
    ${'drain'}     | ${0}     | ${20}     | ${50}   | ${'twenty minutes are left of the drain'}
    ${'upgrade'}   | ${10}    | ${0}      | ${30}   | ${'the run has done nothing yet of what takes time'}
    ${'reboot'}    | ${0}     | ${0}      | ${30}   | ${'nothing has taken time so far'}
    ${'reboot'}    | ${12}    | ${0}      | ${18}   | ${'the rest is left'}
    ${'reboot'}    | ${25}    | ${0}      | ${10}   | ${'a reboot may take a third'}
    ${'reboot'}    | ${90000} | ${0}      | ${10}   | ${'a run that is resumed after days has the reboot left'}
  `('is $minutes minutes for $round when $because', ({ round, worked, drainLeft, minutes }) => {
    const elapsed = { worked: worked * MINUTE, drainLeft: drainLeft * MINUTE };
    expect(timeNeeded(round, policy, elapsed)).toBe(minutes * 60);
  });
});

describe('a gate', () => {
  const pass = { status: 'pass', detail: {} } as const;
  const warn = { status: 'warn', detail: {} } as const;
  const block = { status: 'block', detail: {} } as const;
  const silent = { status: 'block', detail: { error: 'net.timeout' } } as const;
  it.each`
    findings           | verdict        | because
    ${[pass, warn]}    | ${'open'}      | ${'nothing blocks'}
    ${[pass, block]}   | ${'closed'}    | ${'something was seen that blocks'}
    ${[pass, silent]}  | ${'ask-again'} | ${'one did not answer, as while a daemon restarts'}
    ${[block, silent]} | ${'closed'}    | ${'an answer would not open it'}
  `('is $verdict when $because', ({ findings, verdict }) => expect(gateVerdict(findings)).toBe(verdict));
});
