import { jobsOf } from '../api/pbs.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { block, check, pass, warn } from './check.js';

/** Does a verify, sync, prune, garbage collection or tape job start before a run would be over? */
export const pbsJobs = check({
  id: 'pbs.jobs',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'ignore-window' },
  look: ({ pbs }) => jobsOf(pbs),
  judge({ jobs, unknown }, { target: { policy }, now, takes }) {
    const until = now + takes + policy.backupMargin / 1000;
    const due = jobs.filter(({ disabled, schedule, nextRun, running }) => {
      if (disabled || schedule === null || running) return false;
      // A schedule without a next run has none left; one in the past is started within the minute.
      return nextRun !== null && nextRun <= until;
    });
    if (due.length === 0 && unknown === null)
      return pass(`${jobs.length} jobs, none due before ${isoFromSeconds(until)}`);
    const line = [
      ...due.map(
        ({ kind, id, nextRun }) =>
          `${kind} ${id} at ${nextRun === null ? 'any moment' : isoFromSeconds(nextRun)}`,
      ),
      ...(unknown === null ? [] : [`garbage collection: ${unknown}`]),
    ].join('; ');
    if (policy.pbsJobs === 'warn') return warn(line);
    if (unknown !== null)
      return block(line, { jobs: due.map(({ id }) => id), unknown: ['garbage collection'] });
    const last = Math.max(...due.map(({ nextRun }) => nextRun ?? now), now);
    return block(line, { jobs: due.map(({ id }) => id) }, last + policy.backupMargin / 1000);
  },
});
