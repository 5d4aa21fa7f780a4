import { describe, it } from 'vitest';
import { harmTrial } from '../../trials/harm.js';

// A few of what `npm run trial:harm` tries by the hundred.

describe('backups by hand that run when a patch begins', () => {
  it.concurrent('are harmed by the playbook and not by pbs-ctl', async ({ expect }) => {
    const trials = await Promise.all([1779, 1965].map((seed) => harmTrial(seed)));
    const harmed = (of: 'pbsCtl' | 'playbook') => trials.reduce((sum, trial) => sum + trial[of].harmed, 0);
    // Or else the trial could not fail.
    expect(harmed('playbook')).toBeGreaterThan(0);
    expect(harmed('pbsCtl')).toBe(0);
  });
});
