import { describe, expect, it } from 'vitest';
import { clockSkew } from '../../src/checks/clock.skew.js';
import { judge } from './judge.js';

describe('clock.skew', () => {
  it('blocks where two clocks are further apart than allowed, though neither is that far from ours', () => {
    const offsets = [
      { name: 'PBS', seconds: 29 },
      { name: 'PVE node pve1', seconds: -29 },
    ];
    expect(judge(clockSkew, offsets)).toMatchObject({
      status: 'block',
      summary: 'PBS is 58 s ahead of PVE node pve1',
    });
  });
  it.each([
    [30, 'pass'],
    [-30, 'pass'],
    [31, 'block'],
    [-31, 'block'],
  ])('of %i seconds is %s', (seconds, status) =>
    expect(judge(clockSkew, [{ name: 'PBS', seconds }]).status).toBe(status));
  it('says which clock is off, and in which direction', () =>
    expect(
      judge(clockSkew, [
        { name: 'PBS', seconds: 90 },
        { name: 'PVE node pve1', seconds: -45 },
      ]).summary,
    ).toBe('PBS is 90 s ahead; PVE node pve1 is 45 s behind'));
});
