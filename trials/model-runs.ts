import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { commands, playModel } from './model.js';
import { sideBySide } from './side-by-side.js';

// npm run trial:model -- --runs N --seed S: runs, kills and what others do meanwhile, in arbitrary order, against a
// model of what must be so. Prints the seed and the shortest list of commands of a violation.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '100' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '4' },
  },
});
const [runs, first, lanes] = [Number(values.runs), Number(values.seed), Number(values.lanes)];
const seeds = Array.from({ length: runs }, (_, index) => first + index);
let [broken, played] = [0, 0];
await sideBySide(seeds, lanes, async (seed, index) => {
  const details = await fc.check(
    fc.asyncProperty(commands(10), async (drawn) => {
      await playModel(drawn);
      played += [...drawn].filter((each) => each.toString().startsWith('patch')).length;
    }),
    {
      seed,
      numRuns: 1,
      maxSkipsPerRun: 0,
    },
  );
  if ((index + 1) % 20 === 0) console.log(`… ${index + 1}`);
  if (!details.failed) return;
  broken += 1;
  console.log(
    `VIOLATION seed ${seed}: ${details.counterexample?.join(' -> ')}\n  ${String(details.errorInstance)}`,
  );
});
console.log(`lists of commands  ${runs} (seeds ${first} to ${first + runs - 1})`);
console.log(`runs of patch      ${played}`);
console.log(`violations         ${broken}`);
process.exitCode = broken === 0 ? 0 : 1;
