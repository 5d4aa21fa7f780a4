import { type CrashPoint, listCrashPoints, type Trial, tryCrashPoint } from './crash.js';
import { sideBySide } from './side-by-side.js';

// npm run trial:crash: kills a run at every journal write and every request, both sides, and prints
// how many points were tried and how often a guarantee was broken.

const points = await listCrashPoints();
const lanes = Number(process.env.LANES ?? 4);
console.log(`${points.length} points, ${lanes} side by side`);
const named = ({ what, number, side, step }: CrashPoint) => `${side} ${what} ${number} (${step})`;
const trials = await sideBySide(points, lanes, async (point, index): Promise<Trial> => {
  const trial = await tryCrashPoint(point).catch((error: unknown) => ({
    point,
    reached: true,
    outcome: 'trial failed',
    violations: [String(error)],
  }));
  for (const violation of trial.violations) console.log(`VIOLATION ${named(point)}: ${violation}`);
  if ((index + 1) % 50 === 0) console.log(`… ${index + 1}`);
  return trial;
});
const tally = new Map<string, number>();
for (const { outcome } of trials) tally.set(outcome, (tally.get(outcome) ?? 0) + 1);
const violations = trials.reduce((sum, trial) => sum + trial.violations.length, 0);
console.log(`points listed      ${points.length}`);
console.log(`points reached     ${trials.filter(({ reached }) => reached).length}`);
console.log(`ended              ${[...tally].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`);
console.log(`violations         ${violations}`);
process.exitCode = violations === 0 ? 0 : 1;
