import { describe, it } from 'vitest';
import { chaosTrial } from '../../trials/chaos.js';
import { contend } from '../../trials/contention.js';
import { type CrashPoint, tryCrashPoint } from '../../trials/crash.js';
import { harmTrial } from '../../trials/harm.js';

// A few of what `npm run trial:crash`, `npm run trial:chaos` and `npm run trial:contention` try by the hundred.

const write = (number: number, side: 'before' | 'within' | 'after'): CrashPoint => ({
  what: 'write',
  number,
  side,
  step: '',
});
const request = (number: number, side: 'before' | 'after'): CrashPoint => ({
  what: 'request',
  number,
  side,
  step: '',
});

describe('a run that is killed', () => {
  it.concurrent.for([
    ['before its first line is on disk', write(1, 'before')],
    ['after the upgrade was intended and before it was asked for', write(27, 'after')],
    ['after the reboot was intended and before it was asked for', write(33, 'after')],
    ['after a request whose answer it never heard', request(150, 'after')],
  ] as const)('%s ends well when it is started again', async ([, point], { expect }) => {
    const { outcome, violations } = await tryCrashPoint(point);
    expect({ outcome, violations }).toMatchObject({ violations: [] });
  });
});

describe('a run through faults', () => {
  it.concurrent.for([7])('drawn with seed %i breaks no guarantee', async (seed, { expect }) => {
    expect((await chaosTrial(seed)).violations).toEqual([]);
  });
});

describe('processes that race for the lock', () => {
  it.concurrent('never run under it at once', async ({ expect }) => {
    const { acquisitions, violations } = await contend({
      store: 'guest-tag',
      contenders: 4,
      acquisitions: 8,
      seed: 3,
    });
    expect(acquisitions).toBeGreaterThanOrEqual(8);
    expect(violations).toBe(0);
  });
});

describe('backups by hand that run when somebody comes to patch', () => {
  it.concurrent('are harmed by the playbook and not by pbs-ctl', async ({ expect }) => {
    const trials = await Promise.all([1779, 1965].map((seed) => harmTrial(seed)));
    const harmed = (of: 'pbsCtl' | 'playbook') => trials.reduce((sum, trial) => sum + trial[of].harmed, 0);
    // Or else the trial could not fail.
    expect(harmed('playbook')).toBeGreaterThan(0);
    expect(harmed('pbsCtl')).toBe(0);
  });
});
