import { describe, it } from 'vitest';
import { harmTrial, type Plan } from '../../trials/harm.js';
import { pbsCtl } from '../support/in-process.js';

// One of the plans that `npm run trial:harm` draws by the thousand: as simple as it gets, so that no other load matters.

/** A backup by hand that has begun and lasts beyond everything. */
const plan = (_: unknown, now: number): Plan => ({
  jobs: [{ kind: 'backup', by: 'hand', store: 'tank', at: now, length: 1_000_000 }],
  at: now + 1,
  drainTimeout: '0s',
  wait: false,
});

describe('a backup by hand that runs when a patch begins', () => {
  it.concurrent('is harmed by the playbook and not by pbs-ctl', async ({ expect }) => {
    const { playbook, pbsCtl: ours, outcome } = await harmTrial(1, pbsCtl, plan);
    // Or else the trial could not fail.
    expect(playbook.harmed).toBe(1);
    expect({ harmed: ours.harmed, outcome }).toEqual({ harmed: 0, outcome: 'postponed' });
  });
});
