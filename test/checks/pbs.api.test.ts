import { describe, expect, it } from 'vitest';
import { pbsApi } from '../../src/checks/pbs.api.js';
import { judge } from './judge.js';

describe('pbs.api', () => {
  it.each([
    ['3.1.2', 'block'],
    ['3.2.0', 'pass'],
    ['4.2.3', 'pass'],
  ])('PBS %s is %s', (version, status) =>
    expect(judge(pbsApi, { version, uptimeSeconds: 9 }).status).toBe(status));
});
