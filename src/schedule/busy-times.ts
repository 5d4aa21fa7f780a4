import { isTimeout } from '../api/failure.js';
import { jobsOf, type PbsJob, type PbsTask } from '../api/pbs.js';
import type { PveTask } from '../api/pve.js';
import type { PveAnswers } from '../host/answer-cache.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';
import type { Busy } from './plan.js';
import type { Interval } from './window.js';
import { writingJobs } from './writing-jobs.js';

const DAY = 86_400;
/** How far back past runs count for the duration of a job. Seconds. */
const PAST = 14 * DAY;
const PAGE = 100;
const MOST_PAGES = 20;
/** A task belongs to a run of a job if it began within this time of it. Seconds. */
const SOON = 120;
const PAST_TASKS = 500;

/** Everything that will use the host between two moments, as far as the servers know. */
export async function busyTimes(answers: Answers, span: Interval): Promise<Busy[]> {
  const guess = answers.target.policy.maintenanceDuration / 1000;
  const unknown = (source: string, label: string): Busy[] => [
    { ...span, source, label, estimated: true, unanswered: true },
  ];
  // A server that hangs hides what it would start: it may be busy at any time.
  const orUnknown = (source: string, asked: Promise<Busy[]>) =>
    asked.catch((error: unknown) => {
      if (isTimeout(error)) return unknown(source, error.message);
      throw error;
    });
  const times = await Promise.all([
    ...answers.clusters.map((cluster) =>
      orUnknown(`pve:${cluster.name}`, backups(answers, cluster, span, guess)),
    ),
    orUnknown(
      'pbs',
      ownJobs(answers, span, guess, (why) => unknown('pbs', `garbage collection: ${why}`)),
    ),
  ]);
  return times.flat();
}

/** Jobs of the host itself. */
async function ownJobs(
  answers: Answers,
  span: Interval,
  guess: number,
  unknownFor: (why: string) => Busy[],
): Promise<Busy[]> {
  const [{ jobs, unknown }, tasks] = await Promise.all([
    jobsOf(answers.pbs),
    answers.pbs.recentTasks(PAST_TASKS),
  ]);
  const [anywhere] = answers.clusters;
  const own = await Promise.all(jobs.map((job) => jobTimes(job, tasks, anywhere?.pve ?? null, span, guess)));
  return [...own.flat(), ...(unknown === null ? [] : unknownFor(unknown))];
}

/** Backup jobs of a cluster that write to this host, or may. */
async function backups(
  answers: Answers,
  cluster: ClusterAnswers,
  span: Interval,
  guess: number,
): Promise<Busy[]> {
  const { name, pve } = cluster;
  const [jobs, { online }] = await Promise.all([writingJobs(answers, cluster), pve.clusterStatus()]);
  const past = await pastBackups(pve, online, span.from);
  // Jobs often share a schedule: each distinct one is requested, and its past read, once.
  const schedules = new Map<string, Promise<Times>>();
  const ahead = async (schedule: string): Promise<Times> => {
    const runs = await runsBetween(pve, schedule, span.from - PAST, span.to);
    const earlier = runs.filter((at) => at < span.from);
    const { p90 } = lengthOf(lengthsOfRuns(earlier, past), guess);
    const times = runs.filter((at) => at + p90 > span.from).map((at) => ({ from: at, to: at + p90 }));
    return [...times, ...beyond(runs, span)];
  };
  const times = await Promise.all(
    jobs.map(async ({ id, schedule }): Promise<Busy[]> => {
      if (schedule === null) return [];
      const known = schedules.get(schedule) ?? ahead(schedule);
      schedules.set(schedule, known);
      const [source, label] = [`pve:${name}`, `backup ${id}`];
      return (await known).map((each) => ({ ...each, source, label, estimated: true }));
    }),
  );
  return times.flat();
}

/** The time from each run to the end of the last task that began with it. */
function lengthsOfRuns(runs: readonly number[], tasks: readonly PveTask[]): number[] {
  return runs.flatMap((at) => {
    let end = 0;
    for (const { startedAt, endedAt } of tasks)
      if (startedAt >= at && startedAt <= at + SOON && endedAt !== null) end = Math.max(end, endedAt);
    return end === 0 ? [] : [end - at];
  });
}

async function pastBackups(pve: PveAnswers, nodes: readonly string[], now: number): Promise<PveTask[]> {
  const lists = await Promise.all(
    nodes.map((node) =>
      pve.nodeTasksFinished(node, { type: 'vzdump', since: now - PAST, limit: PAST_TASKS }),
    ),
  );
  return lists.flat();
}

/** Every run of a schedule between two moments, page by page. */
async function runsBetween(pve: PveAnswers, schedule: string, from: number, to: number): Promise<number[]> {
  const runs: number[] = [];
  for (let page = 0; page < MOST_PAGES; page += 1) {
    const found = await pve.scheduleRuns(schedule, runs.at(-1) ?? from, PAGE);
    runs.push(...found);
    if (found.length < PAGE || (found.at(-1) ?? to) >= to) break;
  }
  return runs.filter((at) => at < to);
}

type Times = ReadonlyArray<Pick<Busy, 'from' | 'to' | 'goesOn'>>;

/** Where a schedule has more runs than were listed, it may run at any time after them. */
function beyond(runs: readonly number[], { to }: Interval): Times {
  const last = runs.at(-1);
  return runs.length < MOST_PAGES * PAGE || last === undefined ? [] : [{ from: last, to, goesOn: true }];
}

const TASK_TYPES: Readonly<Record<PbsJob['kind'], readonly string[]>> = {
  'garbage-collection': ['garbage_collection'],
  prune: ['prunejob'],
  verify: ['verificationjob'],
  sync: ['syncjob'],
  tape: ['tape-backup-job'],
};

/** The id of a worker holds that of its job, but for prune jobs: theirs is what they prune, `store[:namespace]`. */
const isOf = ({ kind, id, store }: PbsJob, worker: string): boolean =>
  kind === 'prune' ? worker === store || worker.startsWith(`${store}:`) : worker.includes(id);

/**
 * PBS reports only the next run of a job. PVE, whose schedules have the same grammar, lists those after it; where
 * no cluster answers, the next one has to do.
 */
async function jobTimes(
  job: PbsJob,
  tasks: readonly PbsTask[],
  pve: PveAnswers | null,
  span: Interval,
  guess: number,
): Promise<Busy[]> {
  const { kind, id, schedule, disabled, nextRun } = job;
  if (disabled || schedule === null || nextRun === null) return [];
  const past = tasks.flatMap((task) =>
    TASK_TYPES[kind].includes(task.type) && isOf(job, task.id ?? '') && task.endedAt !== null
      ? [task.endedAt - task.startedAt]
      : [],
  );
  const { p90 } = lengthOf(past, guess);
  const later = pve
    ? await runsBetween(pve, schedule, Math.max(nextRun, span.from), span.to).catch(() => [])
    : [];
  return [...new Set([Math.max(nextRun, span.from), ...later])]
    .filter((at) => at < span.to)
    .map((at) => ({ from: at, to: at + p90, source: 'pbs', label: `${kind} ${id}`, estimated: true }));
}

/** How long a job takes: by its past runs where there are any. Seconds. */
interface Length {
  readonly median: number;
  readonly p90: number;
  /** How many runs it is based on; 0: a guess. */
  readonly runs: number;
}

/** Of finished runs, in seconds; `guess` where there are none. Pure. */
export function lengthOf(finished: readonly number[], guess: number): Length {
  if (finished.length === 0) return { median: guess, p90: guess, runs: 0 };
  const sorted = [...finished].sort((a, b) => a - b);
  const at = (share: number) =>
    sorted[Math.min(sorted.length - 1, Math.ceil(share * sorted.length) - 1)] ?? guess;
  return { median: at(0.5), p90: at(0.9), runs: sorted.length };
}
