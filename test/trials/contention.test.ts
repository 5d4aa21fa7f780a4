import { describe, it } from 'vitest';
import { contend } from '../../trials/contention.js';
import { pbsCtl } from '../support/in-process.js';

// A few of what `npm run trial:contention` tries by the hundred.

describe('processes that race for the lock', () => {
  it.concurrent('never run under it at once, whichever guests their configs name to carry it', async ({
    expect,
  }) => {
    const { acquisitions, violations } = await contend({
      store: 'guest-tag',
      contenders: 3,
      acquisitions: 4,
      seed: 3,
      carriers: [900, 901],
      // A busy machine is no slow server.
      requestTimeoutMs: 2000,
      run: pbsCtl,
    });
    expect(acquisitions).toBeGreaterThanOrEqual(4);
    expect(violations).toBe(0);
  });
});
