import type { Time } from '../api/client.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { howToTell } from '../schedule/whose-storage.js';
import { type WritingJob, writingJobs } from '../schedule/writing-jobs.js';
import { block, type Judgement, pass, perCluster } from './check.js';

interface SeenJob extends Pick<WritingJob, 'id' | 'destination' | 'repeatMissed' | 'needed' | 'doubt'> {
  /** Its next runs, epoch seconds; null where they cannot be known. */
  readonly runs: readonly number[] | null;
  /** There are more. */
  readonly goesOn?: boolean;
  /** Why they cannot: the nodes are in different time zones, and one of them answers for all. */
  readonly zones?: readonly string[];
  /** A next run is named, and the schedule has none. */
  readonly unsure?: boolean;
}

/** A run that began within the last minute may not yet show as a task. Seconds. */
const JUST_BEGUN = 60;

/** Does a backup job that writes to this host start before a run would be over? PVE itself says when jobs run. */
export const pveSchedule = perCluster({
  id: 'pve.schedule',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'ignore-window' },
  look: async (cluster, answers): Promise<readonly SeenJob[]> => {
    const { name, pve } = cluster;
    const { now, schedules } = answers;
    const readBy = pve.clusterStatus().then(async ({ online }) => {
      const times = await Promise.all(online.map((node) => pve.nodeTime(node)));
      return zonesOf(times);
    });
    const [jobs, zones] = await Promise.all([writingJobs(answers, cluster), readBy]);
    const by = { cluster: name, pve, zones };
    return Promise.all(
      jobs.map(
        async ({ id, destination, needed, doubt, repeatMissed, schedule, nextRun }): Promise<SeenJob> => {
          const seen = { id, destination, needed, doubt, repeatMissed };
          if (schedule === null) return { ...seen, runs: null };
          if (zones.length > 1 && !/ UTC$/.test(schedule)) return { ...seen, runs: null, zones };
          return { ...seen, ...(await schedules.after(by, { nextRun, schedule }, now - JUST_BEGUN, now)) };
        },
      ),
    );
  },
  judge: (jobs, { target: { policy, host }, now, takes }, cluster) =>
    judge(jobs, now, takes, policy.backupMargin / 1000, { host, cluster }),
});

/** @param takes seconds that the run still takes; the margin after it has to be free as well */
function judge(
  jobs: readonly SeenJob[],
  now: number,
  takes: number,
  margin: number,
  { host, cluster }: { readonly host: string; readonly cluster: string },
): Judgement {
  const need = takes + margin;
  const unknown = jobs.filter(({ runs }) => runs === null);
  if (unknown.length > 0) {
    const zones = unknown.find((job) => job.zones)?.zones;
    const why = zones ? `: the nodes are in different time zones (${zones.join(', ')})` : '';
    const ids = unknown.map(({ id }) => id);
    return block(`it cannot be known when ${ids.join(', ')} runs${why}`, { unknown: ids });
  }
  const repeating = jobs.filter(({ repeatMissed }) => repeatMissed).map(({ id }) => id);
  const detail = {
    jobs: jobs.map(({ id, runs }) => ({ id, next: runs?.[0] ?? null })),
    repeatMissed: repeating,
  };
  const due = jobs.flatMap((job) => {
    const at = job.runs?.find((each) => each <= now + need);
    return at === undefined ? [] : [{ ...job, at }];
  });
  if (due.length > 0) {
    const lines = due.map(
      (job) =>
        `backup job ${job.id} ${job.at <= now ? 'started' : 'starts'} at ${isoFromSeconds(job.at)}${remarks(job)}`,
    );
    const inDoubt = due.some(({ destination, doubt }) => destination === 'unknown' && doubt !== null);
    const hint = inDoubt ? { hint: howToTell(host, cluster) } : {};
    return block(lines.join('; '), { ...detail, ...hint }, freeFrom(jobs, now, need, margin));
  }
  const unsure = jobs.filter((job) => job.unsure);
  if (unsure.length > 0)
    return block(
      `it cannot be known when ${unsure.map(({ id }) => id).join(', ')} runs: PVE names a next run, and no run of the schedule`,
      detail,
    );
  if (jobs.length === 0) return pass('no backup job writes here');
  const next = Math.min(...jobs.flatMap(({ runs }) => runs ?? []));
  const when = Number.isFinite(next) ? `the next at ${isoFromSeconds(next)}` : 'no more are due';
  const missed = repeating.length === 0 ? '' : `; ${repeating.join(', ')} would make up for missed runs`;
  return pass(
    `${jobs.length === 1 ? '1 job writes' : `${jobs.length} jobs write`} here, ${when}${missed}`,
    detail,
  );
}

/** Why a job that is due matters, where that is not simply that it writes here. */
function remarks({ destination, needed, doubt }: SeenJob): string {
  const guests = needed.length > 0 ? ` and backs up guest ${needed.join(', ')}, which the run needs` : '';
  if (destination !== 'unknown') return guests;
  return ` and may write here${doubt === null ? '' : ` (${doubt})`}${guests}`;
}

/**
 * The first moment at which nothing would be due, a margin after the last run that blocks: how long that
 * backup takes is not known here. Undefined where it lies beyond the runs that PVE listed.
 */
function freeFrom(jobs: readonly SeenJob[], now: number, need: number, margin: number): number | undefined {
  const horizon = Math.min(...jobs.flatMap(({ runs, goesOn }) => (goesOn ? (runs?.at(-1) ?? []) : [])));
  const runs = jobs.flatMap((job) => job.runs ?? []).sort((a, b) => a - b);
  let free = now;
  for (const at of runs) {
    if (at > free + need) break;
    // At least as long as a run counts as just begun.
    free = at + Math.max(margin, JUST_BEGUN);
  }
  return free + need > horizon ? undefined : free;
}

/** By name where every node has one, else by what they are off UTC. */
function zonesOf(times: readonly Time[]): string[] {
  const named = times.every(({ timezone }) => timezone !== null);
  return [
    ...new Set(times.map(({ timezone, utcOffset }) => (named ? `${timezone}` : offsetText(utcOffset)))),
  ];
}

function offsetText(seconds: number | null): string {
  if (seconds === null) return 'unknown';
  const minutes = Math.round(Math.abs(seconds) / 60);
  const two = (value: number) => String(Math.floor(value)).padStart(2, '0');
  return `UTC${seconds < 0 ? '-' : '+'}${two(minutes / 60)}:${two(minutes % 60)}`;
}
