import { describe, expect, it } from 'vitest';
import { pbsDisk } from '../../src/checks/pbs.disk.js';
import { judge } from './judge.js';

describe('pbs.disk', () => {
  it.each([
    [2 ** 31, 'pass'],
    [2 ** 31 - 1, 'block'],
  ])('with %i bytes free is %s', (free, status) => expect(judge(pbsDisk, free).status).toBe(status));
});
