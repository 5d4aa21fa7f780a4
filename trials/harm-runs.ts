import { parseArgs } from 'node:util';
import { type HarmTrial, harmTrial } from './harm.js';
import { sideBySide } from './side-by-side.js';

// npm run harm -- --runs N --seed S: the same backup jobs meet `pbs-ctl patch` and a playbook that upgrades
// and reboots without a question, and it is counted whose backups were harmed.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '8' },
  },
});
const [runs, first, lanes] = [Number(values.runs), Number(values.seed), Number(values.lanes)];
const seeds = Array.from({ length: runs }, (_, index) => first + index);
const trials = await sideBySide(seeds, lanes, async (seed, index): Promise<HarmTrial> => {
  const trial = await harmTrial(seed);
  const { harmed, interrupted } = trial.pbsCtl;
  if (harmed + interrupted > 0)
    console.log(`HARM seed ${seed}: ${harmed} backups, ${interrupted} jobs of PBS`);
  if ((index + 1) % 50 === 0) console.log(`… ${index + 1}`);
  return trial;
});
const outcomes = new Map<string, number>();
for (const { outcome } of trials) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
const sum = (of: (trial: HarmTrial) => number) => trials.reduce((total, trial) => total + of(trial), 0);
const line = (name: string, of: (trial: HarmTrial) => HarmTrial['pbsCtl']) =>
  console.log(
    `${name.padEnd(11)} harmed ${sum((trial) => of(trial).harmed)} backups in ` +
      `${trials.filter((trial) => of(trial).harmed > 0).length} schedules, interrupted ` +
      `${sum((trial) => of(trial).interrupted)} jobs of PBS, turned away ${sum((trial) => of(trial).turnedAway)} backups by hand`,
  );
console.log(`schedules   ${runs} (seeds ${first} to ${first + runs - 1})`);
console.log(`ended       ${[...outcomes].map(([outcome, count]) => `${count} ${outcome}`).join(', ')}`);
line('pbs-ctl', (trial) => trial.pbsCtl);
line('playbook', (trial) => trial.playbook);
process.exitCode = sum(({ pbsCtl }) => pbsCtl.harmed + pbsCtl.interrupted) === 0 ? 0 : 1;
