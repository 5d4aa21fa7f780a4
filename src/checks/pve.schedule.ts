import type { BackupJob } from '../api/pve.js';
import type { Policy } from '../config/schema.js';
import { clearFrom, RUNS_ASKED } from '../host/schedule-cache.js';
import { isoFromSeconds } from '../moment.js';
import { destinationOfJob } from '../schedule/job-destination.js';
import { type Destination, storagesOfHost } from '../schedule/storage-match.js';
import { block, type Check, type Judgement, pass, worstOf } from './check.js';

/** An enabled job that writes to this host, or may. */
interface SeenJob {
  readonly id: string;
  readonly destination: Exclude<Destination, 'elsewhere'>;
  /** Its next runs, epoch seconds, at most {@link RUNS_ASKED}; null where nobody can tell. */
  readonly runs: readonly number[] | null;
  /** There are more; where it is not said, as many as were asked for mean that. */
  readonly goesOn?: boolean;
  /** Why nobody can: the nodes read the schedule by different time zones, and one of them answers for all. */
  readonly zones?: readonly string[];
  readonly repeatMissed: boolean;
}

interface Writing {
  readonly job: BackupJob;
  readonly destination: SeenJob['destination'];
}

/** A run that began within the last minute may not yet show as a task. Seconds. */
const JUST_BEGUN = 60;

/** Does a backup job that writes to this host start before a run would be over? PVE itself says when jobs run. */
export const pveSchedule: Check<ReadonlyArray<readonly [string, readonly SeenJob[]]>> = {
  id: 'pve.schedule',
  look: ({ clusters, pbs, target, now, schedules }) =>
    Promise.all(
      clusters.map(async ({ name, pve }) => {
        const [all, storages, { fingerprint }, { nodes }] = await Promise.all([
          pve.backupJobs(),
          pve.storages(),
          pbs.nodeStatus(),
          pve.clusterStatus(),
        ]);
        const ours = storagesOfHost(storages, target, fingerprint);
        const online = nodes.filter((node) => node.online).map((node) => node.name);
        const times = await Promise.all(online.map((node) => pve.nodeTime(node)));
        const zones = [...new Set(times.map(({ timezone }) => timezone))];
        const writing = (
          await Promise.all(
            all
              .filter(({ enabled }) => enabled)
              .map(async (job) => ({
                job,
                destination: await destinationOfJob(job, pve, online, storages, ours),
              })),
          )
        ).flatMap(({ job, destination }) => (destination === 'elsewhere' ? [] : [{ job, destination }]));
        const from = now - JUST_BEGUN;
        const until = now + needOf(target.policy);
        const by = { cluster: name, pve, zones };
        const look = ({ job, destination }: Writing, enough: boolean): Promise<SeenJob> | SeenJob => {
          const { id, schedule, repeatMissed, nextRun } = job;
          const seen = { id, destination, repeatMissed };
          if (schedule === null) return { ...seen, runs: null };
          if (zones.length > 1 && !/ UTC$/.test(schedule)) return { ...seen, runs: null, zones };
          if (enough && nextRun !== null) return { ...seen, runs: [nextRun], goesOn: true };
          return schedules.after(by, { nextRun, schedule }, from, now).then((runs) => ({ ...seen, ...runs }));
        };
        const first = await Promise.all(
          writing.map((each) => look(each, clearFrom(each.job, { from, now, until }))),
        );
        const inTheWay = first.some(({ runs }) => runs === null || runs.some((at) => at <= until));
        // Only where something is in the way one has to know when nothing will be.
        const jobs = inTheWay ? await Promise.all(writing.map((each) => look(each, false))) : first;
        return [name, jobs] as const;
      }),
    ),
  judge: (seen, { target: { policy }, now }) => {
    const margin = policy.backupMargin / 1000;
    const need = needOf(policy);
    return worstOf(seen.map(([name, jobs]): [string, Judgement] => [name, judge(jobs, now, need, margin)]));
  },
};

function judge(jobs: readonly SeenJob[], now: number, need: number, margin: number): Judgement {
  const unknown = jobs.filter(({ runs }) => runs === null);
  if (unknown.length > 0) {
    const zones = unknown.find((job) => job.zones)?.zones;
    const why = zones ? `: the nodes are in different time zones (${zones.join(', ')})` : '';
    return block(`it cannot be known when ${unknown.map(({ id }) => id).join(', ')} runs${why}`);
  }
  const repeating = jobs.filter(({ repeatMissed }) => repeatMissed).map(({ id }) => id);
  const detail = {
    jobs: jobs.map(({ id, runs }) => ({ id, next: runs?.[0] ?? null })),
    repeatMissed: repeating,
  };
  const due = jobs.flatMap(({ id, destination, runs }) => {
    const at = runs?.find((each) => each <= now + need);
    return at === undefined ? [] : [{ id, destination, at }];
  });
  if (due.length > 0) {
    const lines = due.map(
      ({ id, destination, at }) =>
        `backup job ${id} ${at <= now ? 'started' : 'starts'} at ${isoFromSeconds(at)}${destination === 'here' ? '' : ' and may write here'}`,
    );
    return block(lines.join('; '), detail, freeFrom(jobs, now, need, margin));
  }
  if (jobs.length === 0) return pass('no backup job writes here');
  const next = Math.min(...jobs.flatMap(({ runs }) => runs ?? []));
  const when = Number.isFinite(next) ? `the next at ${isoFromSeconds(next)}` : 'none is due any more';
  const missed = repeating.length === 0 ? '' : `; ${repeating.join(', ')} would make up for missed runs`;
  return pass(
    `${jobs.length === 1 ? '1 job writes' : `${jobs.length} jobs write`} here, ${when}${missed}`,
    detail,
  );
}

/**
 * The first moment at which nothing would be due, a margin after the last run in the way: how long that
 * backup takes is not known here. Undefined where it lies beyond the runs that were asked for.
 */
function freeFrom(jobs: readonly SeenJob[], now: number, need: number, margin: number): number | undefined {
  const known = jobs.flatMap(({ runs, goesOn = runs?.length === RUNS_ASKED }) =>
    goesOn ? (runs?.at(-1) ?? []) : [],
  );
  const horizon = Math.min(...known);
  const runs = jobs.flatMap((job) => job.runs ?? []).sort((a, b) => a - b);
  let free = now;
  for (const at of runs) {
    if (at > free + need) break;
    // At least as long as a run counts as just begun.
    free = at + Math.max(margin, JUST_BEGUN);
  }
  return free + need > horizon ? undefined : free;
}

/** How long nothing may start. Seconds. */
const needOf = ({ maintenanceDuration, backupMargin }: Policy) => (maintenanceDuration + backupMargin) / 1000;
