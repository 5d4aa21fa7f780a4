import { describe, it } from 'vitest';
import { chaosTrial } from '../../trials/chaos.js';

// A few of what `npm run trial:chaos` tries by the hundred.

describe('a run through faults', () => {
  it.concurrent.for([7])('drawn with seed %i breaks no guarantee', async (seed, { expect }) => {
    expect((await chaosTrial(seed)).violations).toEqual([]);
  });
});
