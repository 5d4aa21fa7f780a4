import { setTimeout as delay } from 'node:timers/promises';
import { type Lab, startLab } from '../src/lab/lab.js';
import { type PlayedJob, playJobs, type Toll } from './backups.js';
import { documentIn, inItsOwnProcess, patchArgs, type RunToEnd } from './controller.js';
import { hurry } from './crash.js';
import { playbook } from './playbook.js';
import { Random } from './random.js';

const FACTOR = 40;
/** Seconds after the end of both until everything is judged: what begins at the last moment may still be hit. */
const AFTERMATH = 2;
/** Longer than a run takes here: what outlasts its own policy is not tried. Too many lanes break that. */
const POLICY = { maintenanceDuration: '25s', backupMargin: '5s' };

/** How many trials drain for how long; `75s` is across the next full minute, at which PVE starts its jobs. */
const DRAINS = { '75s': 0.1, '4s': 0.4, '0s': 0.5 } as const;

/** What the same jobs suffered at the hands of both. */
export interface HarmTrial {
  readonly seed: number;
  readonly outcome: string;
  readonly waited: boolean;
  readonly drainTimeout: string;
  /** Seconds that the run of pbs-ctl took. */
  readonly took: number;
  readonly pbsCtl: Toll;
  readonly playbook: Toll;
}

export interface Plan {
  readonly jobs: readonly PlayedJob[];
  /** Epoch seconds at which both begin. */
  readonly at: number;
  readonly drainTimeout: keyof typeof DRAINS;
  /** Whether pbs-ctl is told to wait for a safe time instead of postponing at once. */
  readonly wait: boolean;
}

/** Jobs of random kinds and lengths around the moment of a patch. */
function draw(random: Random, now: number): Plan {
  const store = () => random.oneOf(['tank', 'tank', 'vault'] as const);
  const length = () => random.between(20, 500);
  const jobs: PlayedJob[] = [];
  const at = now + 1;
  // PVE starts its backup jobs at full minutes; how far the next one is, is chance as well.
  if (random.next() < 0.7) {
    const minute = Math.ceil((now + 2) / 60) * 60 + random.oneOf([0, 60]);
    jobs.push({ kind: 'backup', by: 'schedule', store: store(), at: minute, length: length() });
  }
  if (random.next() < 0.2)
    jobs.push({ kind: 'backup', by: 'hand', store: store(), at: at - 1, length: length() });
  // Near the start, and over the whole of a run: the fence has to turn some of them away.
  for (let some = random.between(0, 2); some > 0; some -= 1) {
    const begins = at + random.next() * random.oneOf([4, 15]);
    jobs.push({ kind: 'backup', by: 'hand', store: store(), at: begins, length: length() });
  }
  if (random.next() < 0.4) {
    const kind = random.oneOf(['verify', 'sync', 'prune', 'gc'] as const);
    jobs.push({ kind, by: 'schedule', store: store(), at: at + random.between(-4, 90), length: length() });
  }
  const [luck, wait] = [random.next(), random.next() < 0.4];
  if (luck >= DRAINS['75s'])
    return { jobs, at, drainTimeout: luck < DRAINS['75s'] + DRAINS['4s'] ? '4s' : '0s', wait };
  // A backup by hand to drain, which lasts beyond the next full minute. In most trials a scheduled one begins then: the
  // run can know of it from the beginning, or an administrator adds it meanwhile.
  const minute = Math.ceil((at + 20) / 60) * 60;
  const lasts = (minute + random.between(1, 6) - at) * FACTOR;
  const due = jobs.filter(({ by }) => by === 'hand');
  due.push({ kind: 'backup', by: 'hand', store: store(), at: at - 1, length: lasts });
  const known = random.oneOf(['later', 'later', 'before', 'no job'] as const);
  const announcedAt = known === 'later' ? at + random.between(2, 8) : null;
  if (known !== 'no job')
    due.push({ kind: 'backup', by: 'schedule', store: store(), at: minute, length: length(), announcedAt });
  return { jobs: due, at, drainTimeout: '75s', wait };
}

/** The same jobs twice, at the same time: in one lab pbs-ctl patches pbs01, in the other the playbook does. */
export async function harmTrial(
  seed: number,
  run: RunToEnd = inItsOwnProcess,
  plans: (random: Random, now: number) => Plan = draw,
): Promise<HarmTrial> {
  const [ours, theirs] = await Promise.all([startLab({ factor: FACTOR }), startLab({ factor: FACTOR })]);
  try {
    const plan = plans(new Random(seed), Math.floor(Date.now() / 1000));
    const [document, theirToll] = await Promise.all([
      patchWithUs(ours, plan, run),
      patchWithPlaybook(theirs, plan),
    ]);
    // A fence that was left behind would meet what is still to come.
    if (plan.drainTimeout === '75s') await until(Math.max(...plan.jobs.map((job) => job.at)));
    await delay(AFTERMATH * 1000);
    return {
      seed,
      outcome: document.outcome,
      waited: plan.wait,
      drainTimeout: plan.drainTimeout,
      took: document.took,
      pbsCtl: document.toll,
      playbook: theirToll,
    };
  } finally {
    await Promise.all([ours.stop(), theirs.stop()]);
  }
}

async function patchWithUs(
  lab: Lab,
  { jobs, at, drainTimeout, wait }: Plan,
  run: RunToEnd,
): Promise<{ outcome: string; took: number; toll: Toll }> {
  hurry(lab.configPath, { ...POLICY, drainTimeout });
  let patching = false;
  const toll = playJobs(lab, jobs, FACTOR, () => patching);
  await until(at);
  patching = true;
  const begun = Date.now();
  const ended = await run(patchArgs(lab.configPath, ...(wait ? ['--wait', '20s'] : [])));
  patching = false;
  const took = (Date.now() - begun) / 1000;
  return { outcome: documentIn(ended)?.outcome ?? `no report: ${ended.stderr}`, took, toll };
}

async function patchWithPlaybook(lab: Lab, { jobs, at }: Plan): Promise<Toll> {
  let patching = false;
  const toll = playJobs(lab, jobs, FACTOR, () => patching);
  await until(at);
  patching = true;
  await playbook(lab);
  patching = false;
  return toll;
}

const until = (seconds: number) => delay(Math.max(0, seconds * 1000 - Date.now()));
