import { block, type Check, type Judgement, pass, worstOf } from '../check.js';
import { storagesOfHost } from '../storage-match.js';

interface Seen {
  readonly jobs: ReadonlyArray<{
    readonly id: string;
    readonly runs: readonly number[];
    readonly guessed: boolean;
  }>;
}

/** A run that began within the last minute may not yet show as a task. Seconds. */
const JUST_BEGUN = 60;

/** Does a backup job that writes to this host start before a run would be over? PVE itself says when jobs run. */
export const pveSchedule: Check<ReadonlyArray<readonly [string, Seen]>> = {
  id: 'pve.schedule',
  look: ({ clusters, pbs, target, now }) =>
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
        // Without a storage of its own a job writes to the default of each node that runs it.
        const defaults = async (node: string | null) => {
          const asked = await Promise.all((node ? [node] : online).map((each) => pve.vzdumpStorage(each)));
          return asked.some((storage) => storage === null || ours.has(storage));
        };
        const jobs = await Promise.all(
          all
            .filter(({ enabled }) => enabled)
            .map(async (job) => {
              const writes = job.storage === null ? await defaults(job.node) : ours.has(job.storage);
              if (!writes) return [];
              const runs =
                job.schedule === null ? [] : await pve.scheduleRuns(job.schedule, now - JUST_BEGUN, 2);
              return [{ id: job.id, runs, guessed: job.schedule === null }];
            }),
        );
        return [name, { jobs: jobs.flat() }] as const;
      }),
    ),
  judge: (seen, { target: { policy }, now }) =>
    worstOf(
      seen.map(([name, { jobs }]): [string, Judgement] => {
        const until = now + (policy.maintenanceDuration + policy.backupMargin) / 1000;
        const due = jobs.flatMap(({ id, runs }) =>
          runs.filter((at) => at <= until).map((at) => ({ id, at })),
        );
        const unknown = jobs.filter(({ guessed }) => guessed);
        if (unknown.length > 0)
          return [name, block(`it cannot be known when ${unknown.map(({ id }) => id).join(', ')} runs`)];
        if (due.length > 0) {
          const line = due
            .map(({ id, at }) => `backup job ${id} starts at ${new Date(at * 1000).toISOString()}`)
            .join('; ');
          return [
            name,
            block(line, { jobs: due }, Math.max(...due.map(({ at }) => at)) + policy.backupMargin / 1000),
          ];
        }
        const next = Math.min(...jobs.flatMap(({ runs }) => runs));
        return [
          name,
          pass(
            Number.isFinite(next)
              ? `${jobs.length} jobs write here, the next at ${new Date(next * 1000).toISOString()}`
              : 'no backup job writes here',
          ),
        ];
      }),
    ),
};
