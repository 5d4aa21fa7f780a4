import { describe, expect, it } from 'vitest';
import { fuzz } from '../../trials/fuzz.js';
import { mutate } from '../../trials/fuzz-mutate.js';
import { Random } from '../../trials/random.js';
import { contractsAreHere } from '../conformance/contract.js';

// A few of what `npm run trial:fuzz` tries by the thousand.

describe.skipIf(!contractsAreHere)('answers that block, one of them changed within its schema', () => {
  it('still block, or a rule says why not', async () => {
    const { mutations, unexplained } = await fuzz({ runs: 40, seed: 3, scenarios: ['datastore-path-gone'] });
    expect(unexplained).toEqual([]);
    expect(mutations).toBeGreaterThan(20);
  });
});

it('a change takes out only what the schema does not promise', () => {
  const size = { type: 'integer', optional: 1, minimum: 0 } as const;
  const schema = { type: 'array', items: { properties: { name: { type: 'string' }, size } } };
  const answer = [{ name: 'tank', size: 7, other: 'x' }];
  const random = new Random(1);
  const seen = Array.from({ length: 400 }, () => mutate(answer, schema, random));
  expect([...new Set(seen.map((each) => `${each?.path} ${each?.kind}`.trim()))].sort()).toEqual([
    '0.other dropped',
    '0.other null',
    '0.size dropped',
    '0.size null',
    '0.size other number',
    'emptied',
    'one less',
  ]);
  expect(answer).toEqual([{ name: 'tank', size: 7, other: 'x' }]);
});
