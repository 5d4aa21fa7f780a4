import { startLab } from '../src/lab/lab.js';
import { Controller, documentIn, patchArgs } from './controller.js';
import { hurry } from './crash.js';
import { drawFaults, type Fault, unleash } from './faults.js';
import { Random } from './random.js';
import { Witness } from './witness.js';

const FACTOR = 100;
const MOST_RUNS = 4;
const LONGEST_MS = 90_000;

export interface ChaosTrial {
  readonly seed: number;
  readonly faults: readonly Fault[];
  readonly outcome: string;
  readonly violations: readonly string[];
}

/** One run through drawn faults, then runs without any until there is an end; judged by the servers' record. */
export async function chaosTrial(seed: number, faults = drawFaults(new Random(seed))): Promise<ChaosTrial> {
  const lab = await startLab({ factor: FACTOR });
  try {
    hurry(lab.configPath, { drainTimeout: '3s', requestTimeout: '4s' });
    const witness = new Witness(lab);
    const violations: string[] = [];
    const runIds = new Set<string>();
    let last = null;
    for (let run = 0; run < MOST_RUNS; run += 1) {
      const controller = new Controller(patchArgs(lab.configPath));
      if (run === 0) unleash(lab, faults, () => controller);
      const limit = setTimeout(() => {
        violations.push(`G7: the process had not ended after ${LONGEST_MS / 1000} s`);
        controller.kill('SIGKILL');
      }, LONGEST_MS);
      const ended = await controller.ended;
      clearTimeout(limit);
      if (run === 0) lab.setWeather(() => null);
      last = documentIn(ended);
      if (last) runIds.add(last.runId);
      if (last?.error?.code === 'internal') violations.push(`an internal error: ${last.error.message}`);
      for (const secret of lab.secrets)
        if (`${ended.stdout}${ended.stderr}`.includes(secret)) violations.push('G6: a secret was printed');
      if (last?.outcome === 'patched') break;
    }
    const judged = witness.judge(last, { runs: Math.max(1, runIds.size) });
    return { seed, faults, outcome: last?.outcome ?? 'no report', violations: [...violations, ...judged] };
  } finally {
    await lab.stop();
  }
}

/** The shortest list of the faults that still breaks a guarantee. */
export async function shrink({ seed, faults }: ChaosTrial): Promise<ChaosTrial | null> {
  for (let index = 0; index < faults.length && faults.length > 1; index += 1) {
    const fewer = faults.filter((_, each) => each !== index);
    const trial = await chaosTrial(seed, fewer);
    if (trial.violations.length > 0) return (await shrink(trial)) ?? trial;
  }
  return null;
}
