import { parseArgs } from 'node:util';
import { type HarmTrial, harmTrial } from './harm.js';
import { sideBySide } from './side-by-side.js';

// npm run trial:harm -- --runs N --seed S --lanes L --json: the same backup jobs meet `pbs-ctl patch` and a playbook that upgrades
// and reboots without a question, and it is counted whose backups were harmed.

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '1000' },
    seed: { type: 'string', default: '1' },
    lanes: { type: 'string', default: '4' },
    json: { type: 'boolean', default: false },
  },
});
const [runs, first, lanes] = [Number(values.runs), Number(values.seed), Number(values.lanes)];
const seeds = Array.from({ length: runs }, (_, index) => first + index);
const trials: HarmTrial[] = [];
// Stopped early, it tells of what has ended so far.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(summary()));
await sideBySide(seeds, lanes, async (seed) => {
  const trial = await harmTrial(seed);
  trials.push(trial);
  const { harmed, how, interrupted } = trial.pbsCtl;
  if (harmed + interrupted > 0)
    console.error(
      `HARM seed ${seed}: ${harmed} backups (${how.join('; ')}), ${interrupted} jobs of PBS; the run took ${trial.took} s`,
    );
  if (trials.length % 50 === 0) console.error(`… ${trials.length}`);
});
process.exit(summary());

/** @returns the exit code */
function summary(): number {
  const outcomes = new Map<string, number>();
  for (const { outcome } of trials) outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
  const sum = (of: (trial: HarmTrial) => number) => trials.reduce((total, trial) => total + of(trial), 0);
  const tollOf = (of: (trial: HarmTrial) => HarmTrial['pbsCtl']) => ({
    harmed: sum((trial) => of(trial).harmed),
    harmedSchedules: trials.filter((trial) => of(trial).harmed > 0).length,
    interrupted: sum((trial) => of(trial).interrupted),
    turnedAway: sum((trial) => of(trial).turnedAway),
    begunMeanwhile: sum((trial) => of(trial).begunMeanwhile),
  });
  const [ours, theirs] = [tollOf(({ pbsCtl }) => pbsCtl), tollOf(({ playbook }) => playbook)];
  if (values.json)
    console.log(
      JSON.stringify({
        schedules: trials.length,
        firstSeed: first,
        outcomes: Object.fromEntries(outcomes),
        waited: trials.filter(({ waited }) => waited).length,
        drainedAcrossTheMinute: trials.filter(({ drainTimeout }) => drainTimeout === '75s').length,
        pbsCtl: ours,
        playbook: theirs,
        trials,
      }),
    );
  else {
    const ended = [...outcomes].map(([outcome, count]) => `${outcome} ${count}`).join(', ');
    const line = (name: string, { interrupted, turnedAway, begunMeanwhile }: typeof ours) =>
      console.log(
        `${name.padEnd(8)} interrupted ${interrupted} jobs of PBS, turned away ${turnedAway} backups by hand; ` +
          `${begunMeanwhile} backups began while it was at work`,
      );
    console.log(
      `${trials.length.toLocaleString('en')} schedules: pbs-ctl harmed ${ours.harmed} (${ended}), ` +
        `the playbook harmed ${theirs.harmed} backups in ${theirs.harmedSchedules} schedules`,
    );
    console.log(`seeds    from ${first} on`);
    line('pbs-ctl', ours);
    line('playbook', theirs);
  }
  return ours.harmed + ours.interrupted === 0 ? 0 : 1;
}
