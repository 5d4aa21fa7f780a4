import { jobsOf, type PbsJobs } from '../api/pbs.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { type SyncHere, syncsHere } from '../schedule/syncs-here.js';
import { block, check, pass, warn } from './check.js';

interface Seen extends PbsJobs {
  /** Sync jobs of other hosts of the config that use this one. */
  readonly syncs?: readonly SyncHere[];
  readonly doubts?: readonly string[];
}

/** Does a verify, sync, prune, garbage collection or tape job start before a run would be over? */
export const pbsJobs = check({
  id: 'pbs.jobs',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'ignore-window' },
  async look(answers): Promise<Seen> {
    const [own, others] = await Promise.all([jobsOf(answers.pbs), syncsHere(answers)]);
    return { ...own, syncs: others.jobs, doubts: others.doubts };
  },
  judge({ jobs: own, unknown, syncs = [], doubts = [] }, { target: { policy }, now, takes }) {
    const until = now + takes + policy.backupMargin / 1000;
    const jobs = [
      ...own,
      ...syncs.map((sync) => ({ ...sync, kind: 'sync', disabled: false, id: `${sync.id} of ${sync.host}` })),
    ];
    const due = jobs.filter(({ disabled, schedule, nextRun, running }) => {
      if (disabled || schedule === null || running) return false;
      // A schedule without a next run has none left; one in the past is started within the minute.
      return nextRun !== null && nextRun <= until;
    });
    if (due.length === 0 && unknown === null) {
      const well = `${jobs.length} jobs, none due before ${isoFromSeconds(until)}`;
      return doubts.length === 0 ? pass(well) : warn([well, ...doubts].join('; '));
    }
    const line = [
      ...due.map(
        ({ kind, id, nextRun }) =>
          `${kind} ${id} at ${nextRun === null ? 'any moment' : isoFromSeconds(nextRun)}`,
      ),
      ...(unknown === null ? [] : [`garbage collection: ${unknown}`]),
      ...doubts,
    ].join('; ');
    if (policy.pbsJobs === 'warn') return warn(line);
    if (unknown !== null)
      return block(line, { jobs: due.map(({ id }) => id), unknown: ['garbage collection'] });
    const last = Math.max(...due.map(({ nextRun }) => nextRun ?? now), now);
    return block(line, { jobs: due.map(({ id }) => id) }, last + policy.backupMargin / 1000);
  },
});
