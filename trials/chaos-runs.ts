import { parseArgs } from 'node:util';
import { chaosTrial, shrink } from './chaos.js';
import { sideBySide } from './side-by-side.js';

// npm run trial:chaos -- --runs N --seed S: draws faults at random moments, several at once, and prints the
// seed and the shortest list of faults of every violation.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '4' },
  },
});
const [runs, first, lanes] = [Number(values.runs), Number(values.seed), Number(values.lanes)];
const seeds = Array.from({ length: runs }, (_, index) => first + index);
const outcomes = new Map<string, number>();
let broken = 0;
await sideBySide(seeds, lanes, async (seed, index) => {
  const trial = await chaosTrial(seed);
  outcomes.set(trial.outcome, (outcomes.get(trial.outcome) ?? 0) + 1);
  if ((index + 1) % 50 === 0) console.log(`… ${index + 1}`);
  if (trial.violations.length === 0) return;
  broken += 1;
  const { faults, violations } = (await shrink(trial)) ?? trial;
  console.log(
    `VIOLATION seed ${seed}: ${violations.join('; ')}\n  ${faults.map(({ at, name }) => `${name} at request ${at}`).join(', ')}`,
  );
});
console.log(`runs        ${runs} (seeds ${first} to ${first + runs - 1})`);
console.log(`ended       ${[...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`);
console.log(`violations  ${broken}`);
process.exitCode = broken === 0 ? 0 : 1;
