import { describe, expect, it } from 'vitest';
import { EXIT, Fault, type FaultOptions } from '../../src/fault.js';
import { ending, exitCodeOf, outcomeOf } from '../../src/rules/outcome.js';

const fault = (code: string, options: FaultOptions) => new Fault(code, 'seen', options);
const behind = (fenced: string[], locks: string[]) => ({ fenced, locks });

describe('the outcome of a run', () => {
  it.each`
    error                                                       | outcome          | because
    ${fault('not-safe', { exitCode: EXIT.tryLater })}           | ${'postponed'}   | ${'waiting may help'}
    ${fault('net.unreachable', { kind: 'passing' })}            | ${'postponed'}   | ${'the host may be back later'}
    ${fault('pve.guest-locked', { kind: 'later' })}             | ${'postponed'}   | ${'a backup of that guest ends'}
    ${fault('outcome.unknown', { kind: 'unknown' })}            | ${'failed'}      | ${'it may have been carried out'}
    ${fault('run.interrupted', { exitCode: EXIT.interrupted })} | ${'interrupted'} | ${'a signal came'}
    ${fault('verify.failed', { exitCode: EXIT.unverified })}    | ${'unverified'}  | ${'the host is not as it was'}
    ${fault('api.forbidden', { kind: 'refused' })}              | ${'failed'}      | ${'a person has to act'}
    ${new TypeError('a bug')}                                   | ${'failed'}      | ${'nothing is known of it'}
  `('is $outcome when $because', ({ error, outcome }) => {
    expect(outcomeOf(error)).toBe(outcome);
  });

  it.each`
    upgrade        | reboot  | fenced      | locks       | reached             | outcome             | open     | because
    ${'not-begun'} | ${null} | ${[]}       | ${[]}       | ${'postponed'}      | ${'postponed'}      | ${false} | ${'nothing was left'}
    ${'not-begun'} | ${null} | ${['tank']} | ${[]}       | ${'postponed'}      | ${'failed'}         | ${true}  | ${'its fence stays'}
    ${'not-begun'} | ${null} | ${[]}       | ${['main']} | ${'interrupted'}    | ${'interrupted'}    | ${true}  | ${'its lock stays'}
    ${'begun'}     | ${null} | ${[]}       | ${[]}       | ${'failed'}         | ${'failed'}         | ${true}  | ${'its upgrade may still run'}
    ${'failed'}    | ${null} | ${[]}       | ${[]}       | ${'postponed'}      | ${'failed'}         | ${true}  | ${'packages are half installed'}
    ${'done'}      | ${null} | ${[]}       | ${[]}       | ${'reboot-pending'} | ${'reboot-pending'} | ${false} | ${'the next run reboots'}
    ${'not-begun'} | ${null} | ${[]}       | ${['main']} | ${'postponed'}      | ${'postponed'}      | ${false} | ${'the next run releases its lock'}
    ${'done'}      | ${null} | ${[]}       | ${['main']} | ${'reboot-pending'} | ${'reboot-pending'} | ${false} | ${'the next run releases its lock and reboots'}
    ${'done'}      | ${{}}   | ${[]}       | ${['main']} | ${'postponed'}      | ${'failed'}         | ${true}  | ${'its boot is not verified'}
    ${'done'}      | ${null} | ${[]}       | ${['main']} | ${'patched'}        | ${'patched'}        | ${false} | ${'it is done all the same'}
  `('ends $outcome, open: $open, after "$reached" when $because', ({ reached, outcome, open, ...left }) => {
    expect(ending(left, reached)).toEqual({ outcome, open });
  });

  it.each`
    outcome             | leftBehind              | code
    ${'patched'}        | ${behind([], [])}       | ${0}
    ${'checked'}        | ${behind([], [])}       | ${0}
    ${'abandoned'}      | ${behind([], [])}       | ${0}
    ${'abandoned'}      | ${behind(['tank'], [])} | ${1}
    ${'abandoned'}      | ${behind([], ['main'])} | ${1}
    ${'failed'}         | ${behind(['tank'], [])} | ${1}
    ${'unverified'}     | ${behind(['tank'], [])} | ${3}
    ${'postponed'}      | ${behind([], [])}       | ${75}
    ${'reboot-pending'} | ${behind([], [])}       | ${75}
    ${'interrupted'}    | ${behind([], [])}       | ${130}
  `('$outcome exits $code', ({ outcome, leftBehind, code }) => {
    expect(exitCodeOf({ outcome, leftBehind })).toBe(code);
  });
});
