import type { BackupJob } from '../api/pve.js';
import type { PveAnswers } from './answer-cache.js';

/** How many runs of a schedule are requested at once. */
export const RUNS_ASKED = 20;
/** Server and controller may differ so much in what they call now. Seconds. */
const CLOCKS_DIFFER = 60;

interface Runs {
  /** Later than requested, in order. Epoch seconds. */
  readonly runs: readonly number[];
  /** There are more than requested. */
  readonly goesOn: boolean;
  /** A next run is named, and the schedule has none: when it runs after that is not known. */
  readonly unsure: boolean;
}

/**
 * When schedules run, as PVE has worked it out. It is asked once for each schedule of a run: every later list
 * of jobs names the next run of each, and only where that is not the one that is known it is asked anew.
 */
export class ScheduleCache {
  readonly #lists = new Map<string, { readonly from: number; readonly runs: readonly number[] }>();

  /**
   * @param zones time zones of the nodes, by which they read the schedule
   * @param from epoch seconds, at most now
   */
  async after(
    { cluster, pve, zones }: { cluster: string; pve: PveAnswers; zones: readonly string[] },
    { schedule, nextRun }: Pick<BackupJob, 'nextRun'> & { readonly schedule: string },
    from: number,
    now: number,
  ): Promise<Runs> {
    const id = JSON.stringify([cluster, zones, schedule]);
    let known = this.#lists.get(id);
    if (!known || from < known.from || !agrees(known.runs, nextRun, now)) {
      known = { from, runs: await pve.scheduleRuns(schedule, from, RUNS_ASKED) };
      this.#lists.set(id, known);
    }
    const { runs } = known;
    const later = runs.filter((at) => at > from);
    // The list of jobs and the schedule contradict each other: what either names counts.
    const missing = nextRun !== null && nextRun > from && !later.some((at) => at <= nextRun);
    return {
      runs: missing ? [nextRun, ...later] : later,
      goesOn: runs.length === RUNS_ASKED,
      unsure: missing && later.length === 0,
    };
  }
}

/** What PVE says now is the next run is the next one in the list, too. */
function agrees(runs: readonly number[], nextRun: number | null, now: number): boolean {
  if (nextRun === null || !runs.includes(nextRun)) return false;
  return !runs.some((at) => at > now + CLOCKS_DIFFER && at < nextRun);
}
