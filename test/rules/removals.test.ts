import { expect, it } from 'vitest';
import { lostPackages } from '../../src/rules/removals.js';

const removed = (...names: string[]) => ({ removed: names.map((name) => ({ name, from: '1' })) });

it.each([
  ['what the plan named may go', removed('a'), removed('a'), []],
  ['what no plan named may not', removed('a', 'b'), removed('b'), ['a (not in the plan)']],
  ['nothing may go where there was no plan', removed('a'), null, ['a (not in the plan)']],
  [
    'a protected package may not, whatever the plan said',
    removed('pbs'),
    removed('pbs'),
    ['pbs (protected)'],
  ],
])('%s', (_, changes, planned, lost) => expect(lostPackages(changes, planned, ['pbs'])).toEqual(lost));
