import { describe, expect, it } from 'vitest';
import { lengthOf } from '../../src/schedule/busy-times.js';

describe('how long a job takes', () => {
  it.each([
    [[], { median: 1800, p90: 1800, runs: 0 }],
    [[60], { median: 60, p90: 60, runs: 1 }],
    [[10, 20, 30, 40, 50, 60, 70, 80, 90, 100], { median: 50, p90: 90, runs: 10 }],
  ])('of %o is %o', (finished, expected) => expect(lengthOf(finished, 1800)).toEqual(expected));
});
