import { describe, it } from 'vitest';
import { contend } from '../../trials/contention.js';

// A few of what `npm run trial:contention` tries by the hundred.

describe('processes that race for the lock', () => {
  it.concurrent('never run under it at once, whichever guests their configs name to carry it', async ({
    expect,
  }) => {
    const { acquisitions, violations } = await contend({
      store: 'guest-tag',
      contenders: 4,
      acquisitions: 8,
      seed: 3,
      carriers: [900, 901],
    });
    expect(acquisitions).toBeGreaterThanOrEqual(8);
    expect(violations).toBe(0);
  });
});
