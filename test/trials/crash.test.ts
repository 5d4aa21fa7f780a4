import { describe, it } from 'vitest';
import { type CrashPoint, tryCrashPoint } from '../../trials/crash.js';
import { pbsCtl } from '../support/in-process.js';

// A few of what `npm run trial:crash` tries by the hundred.

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
    ['after the upgrade was intended and before it was requested', write(27, 'after')],
    ['after the reboot was intended and before it was requested', write(33, 'after')],
    ['after a request whose answer it never heard', request(150, 'after')],
  ] as const)('%s ends well when it is started again', async ([, point], { expect }) => {
    const { outcome, violations } = await tryCrashPoint(point, pbsCtl);
    expect({ outcome, violations }).toMatchObject({ violations: [] });
  });
});
