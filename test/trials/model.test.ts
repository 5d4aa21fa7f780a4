import fc from 'fast-check';
import { describe, it } from 'vitest';
import { commands, playModel } from '../../trials/model.js';
import { pbsCtl } from '../support/in-process.js';

// One of the lists that `npm run trial:model` plays by the hundred.

describe('runs, kills and what others do meanwhile, in arbitrary order', () => {
  it('break no guarantee', () =>
    fc.assert(fc.asyncProperty(commands(6, pbsCtl), playModel), { seed: 5, numRuns: 1, endOnFailure: true }));
});
