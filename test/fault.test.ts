import { describe, expect, it } from 'vitest';
import { EXIT, type ExitCode, worstExitCode } from '../src/fault.js';

const { done, failed, unverified, tryLater, interrupted } = EXIT;

describe('the exit code for several hosts', () => {
  it.each<[ExitCode[], ExitCode, string]>([
    [[done, done], done, 'all are patched'],
    [[done, tryLater], tryLater, 'one was postponed'],
    [[tryLater, failed], failed, 'a postponement must not hide a failure: 75 counts as none'],
    [[failed, tryLater, done], failed, 'and what comes after does not either'],
    [[failed, unverified], unverified, 'a fence that is up needs a person most'],
    [[tryLater, interrupted], interrupted, 'a person stopped it'],
  ])('of %j is %i: %s', (codes, expected) => {
    expect(worstExitCode(EXIT.done, ...codes)).toBe(expected);
  });
});
