import { describe, expect, it } from 'vitest';
import { PHASES } from '../../src/journal/document.js';
import { longestOf, mayActBeside } from '../../src/rules/beside-run.js';
import { RECOVER_FLAGS } from '../../src/rules/steps.js';
import { target } from '../checks/judge.js';

describe('what recover may do beside a run at work', () => {
  it('is to mount and to restart services, while the run only waits for its host or verifies it', () => {
    const allowed = PHASES.flatMap((phase) =>
      RECOVER_FLAGS.filter((flag) => mayActBeside([flag], phase)).map((flag) => `${phase} ${flag}`),
    );
    expect(allowed).toEqual([
      'wait mount',
      'wait restart-services',
      'verify mount',
      'verify restart-services',
    ]);
  });

  it('is all that is wanted, or nothing', () =>
    expect([mayActBeside(['mount', 'lift-fence'], 'verify'), mayActBeside(['mount'], null)]).toEqual([
      false,
      false,
    ]));

  it.each`
    phase        | minutes
    ${'upgrade'} | ${60}
    ${'wait'}    | ${20}
    ${'verify'}  | ${5 + 1 / 6}
    ${'lock'}    | ${1}
  `('phase $phase lasts $minutes minutes at most', ({ phase, minutes }) =>
    expect(longestOf(phase, target().policy)).toBe(minutes * 60_000),
  );
});
