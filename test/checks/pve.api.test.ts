import { describe, expect, it } from 'vitest';
import { pveApi } from '../../src/checks/pve.api.js';
import { judge } from './judge.js';

describe('pve.api', () => {
  it.each([
    ['7.4', 'block'],
    ['8.1', 'warn'],
    ['8.4.1', 'pass'],
    ['9.2', 'pass'],
    ['10.0', 'warn'],
    ['unknown', 'block'],
  ])('PVE %s is %s', (version, status) =>
    expect(judge(pveApi, [['main', { version, major: 0 }]]).status).toBe(status));
});
