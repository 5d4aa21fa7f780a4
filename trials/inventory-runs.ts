import { parseArgs } from 'node:util';
import fc from 'fast-check';
import { FAULTS, runOnce } from './inventory.js';
import { Random } from './random.js';
import { sideBySide } from './side-by-side.js';
import { found, NEW, OLD, world } from './stored-groups.js';

// npm run trial:inventory -- --worlds N --runs N --seed S: no false alarm in healthy worlds, listed by any pair of
// versions (the rule alone), then whole runs, healthy ones and with each fault in turn.

const { values } = parseArgs({
  options: {
    worlds: { type: 'string', default: '10000' },
    runs: { type: 'string', default: '0' },
    faults: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '2' },
  },
});
const [worlds, runs, seed, lanes] = [values.worlds, values.runs, values.seed, values.lanes].map(Number) as [
  number,
  number,
  number,
  number,
];
let violations = 0;
const pairs = fc.constantFrom({ from: OLD, to: OLD }, { from: OLD, to: NEW }, { from: NEW, to: NEW });
const alarms = fc.check(
  fc.property(world, pairs, fc.boolean(), (groups, pair, exact) => {
    const said = found(groups, groups.toReversed(), { ...pair, exact });
    if (said.length > 0) throw new Error(said.join('; '));
  }),
  { numRuns: worlds, seed },
);
if (alarms.failed) {
  violations += 1;
  console.log(JSON.stringify(alarms.counterexample), String(alarms.errorInstance));
}
console.log(`${alarms.numRuns} healthy worlds, ${alarms.failed ? 'a false alarm' : 'no false alarm'}`);

const turns = [
  ...Array.from({ length: runs }, (_, index) => ({ seed: seed + index, fault: null })),
  ...(values.faults ? FAULTS.map((fault, index) => ({ seed: seed + index, fault })) : []),
];
const ended = new Map<string, number>();
await sideBySide(turns, lanes, async ({ seed: own, fault }) => {
  const { pair, fault: name, violation } = await runOnce(new Random(own), fault);
  const what = `PBS ${pair}, ${name === 'none' ? 'healthy' : name}`;
  ended.set(what, (ended.get(what) ?? 0) + 1);
  if (violation === null) return;
  violations += 1;
  console.log(`seed ${own}, ${what}: ${violation}`);
});
for (const [what, count] of [...ended].sort()) console.log(`${String(count).padStart(4)}  ${what}`);
console.log(`${turns.length} whole runs, ${violations} violations`);
process.exit(violations === 0 ? 0 : 1);
