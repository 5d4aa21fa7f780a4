import { SCENARIOS } from '../src/lab/scenario.js';
import { sideBySide } from './side-by-side.js';
import { judgeVerdicts, STOPS } from './verdicts.js';

// npm run trial:verdicts: every scenario of the lab, stopped in every phase: what recover, windows and status say, and
// what patch then does. LANES runs at once; ONLY=reboot-swallowed for one scenario, EVERY=7 for each seventh.

const lanes = Number(process.env.LANES ?? 2);
const every = Number(process.env.EVERY ?? 1);
const { ONLY } = process.env;
const all = SCENARIOS.filter(({ name }) => ONLY === undefined || name === ONLY).flatMap(({ name }) =>
  STOPS.map((stop) => ({ name, stop })),
);
const chosen = all.filter((_, index) => index % every === 0);
console.log(`${chosen.length} of ${all.length} runs, ${lanes} side by side`);
const tally = new Map<string, number>();
let violations = 0;
await sideBySide(chosen, lanes, async ({ name, stop }) => {
  const verdict = await judgeVerdicts(name, stop).catch((error: unknown) => ({
    said: 'trial failed',
    outcome: '',
    violations: [String(error)],
  }));
  const key = `${verdict.said} -> ${verdict.outcome}`;
  console.log(`${name}, stopped in ${stop ?? 'nothing'}: ${key}`);
  tally.set(key, (tally.get(key) ?? 0) + 1);
  violations += verdict.violations.length;
  for (const violation of verdict.violations)
    console.log(`VIOLATION ${name}, stopped in ${stop ?? 'nothing'}: ${violation}`);
});
for (const [key, count] of [...tally].sort()) console.log(`${String(count).padStart(5)}  ${key}`);
console.log(`${chosen.length} runs, ${violations} violations`);
process.exitCode = violations === 0 ? 0 : 1;
