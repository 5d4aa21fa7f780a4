import { describe, it } from 'vitest';
import { hang } from '../../trials/hang.js';
import { pbsCtl } from '../support/in-process.js';

// A few of what `npm run trial:hang` tries by the hundred; it judges the time too, which a busy machine would not keep.

describe('a command that only reads', () => {
  it.concurrent.for([
    ['preflight', 'GET /status/datastore-usage'],
    ['verify', 'GET /nodes/pve1/qemu/900/agent/exec-status'],
    ['status', 'daemon hangs'],
    ['windows', 'GET /cluster/backup'],
    ['recover', 'store hangs'],
    ['doctor', 'daemon hangs'],
    ['lock show', 'GET /cluster/resources'],
    ['patch --check', 'GET /admin/datastore/tank/active-operations'],
  ] as const)('%s names what hangs, and asks a store one thing at a time and nothing again: %s', async ([
    command,
    what,
  ], { expect }) => {
    const { runs, violations } = await hang({
      command,
      requestTimeoutMs: 3000,
      faults: ['never'],
      wanted: (each) => each === what,
      run: pbsCtl,
    });
    expect(violations).toEqual([]);
    expect(runs).toBe(1);
  });
});
