import type { Lab } from '../src/lab/lab.js';

/** A job as a trial plays it: on the schedule that PVE or PBS shows, or by hand. */
export interface PlayedJob {
  readonly kind: 'backup' | 'verify' | 'sync' | 'prune' | 'gc';
  readonly by: 'schedule' | 'hand';
  readonly store: 'tank' | 'vault';
  /** Epoch seconds. */
  readonly at: number;
  /** Simulated seconds. */
  readonly length: number;
  /** Epoch seconds at which an administrator adds it to the schedule; null or absent: it was there before. */
  readonly announcedAt?: number | null;
}

/** What became of the jobs of a trial. */
export interface Toll {
  /** Backups that began to write during a patch: these are the ones that a check beforehand cannot see. */
  begunMeanwhile: number;
  /** Backups that ran when their datastore went away, and scheduled ones that found it away or closed. */
  harmed: number;
  /** How each of them was. */
  how: string[];
  /** Backups by hand that were refused at once: behind the fence, or while the host was away. */
  turnedAway: number;
  /** Jobs of PBS that ran when the host went down. */
  interrupted: number;
}

const TASK = {
  verify: 'verificationjob',
  sync: 'syncjob',
  prune: 'prunejob',
  gc: 'garbage_collection',
} as const;
const OF_PBS: ReadonlySet<string> = new Set(Object.values(TASK));

/**
 * Plays the jobs in a lab, and counts what became of them.
 * @param isPatching whether a patch is under way at that moment
 */
export function playJobs(
  lab: Lab,
  jobs: readonly PlayedJob[],
  factor: number,
  isPatching: () => boolean,
): Toll {
  const toll: Toll = { begunMeanwhile: 0, harmed: 0, how: [], turnedAway: 0, interrupted: 0 };
  const host = lab.hosts.get('pbs01');
  if (!host) throw new Error('the lab has no pbs01');
  const harm = (how: string) => {
    toll.harmed += 1;
    toll.how.push(how);
  };
  // The record tells of backups; what else runs is seen before the machine goes down.
  lab.record.onEntry((entry) => {
    if (!('kind' in entry) || entry.host !== 'pbs01') return;
    if (entry.kind === 'harmed') harm(`${String(entry.detail.id)} ran when the host went down`);
    if (entry.kind === 'reboot')
      toll.interrupted += host.running().filter(({ type }) => OF_PBS.has(type)).length;
  });
  const isOpen = async (store: string): Promise<boolean> => {
    const datastore = host.datastores.find(({ name }) => name === store);
    if (!datastore || datastore.maintenance !== null || host.machine.phase !== 'up') return false;
    return (await host.problemOf(datastore)) === null;
  };
  const begin = async ({ kind, by, store, length }: PlayedJob) => {
    const open = await isOpen(store);
    if (kind !== 'backup') {
      if (open) host.startTask({ type: TASK[kind], id: store, store, access: 'write', seconds: length });
    } else if (open) {
      if (isPatching()) toll.begunMeanwhile += 1;
      host.startTask({ type: 'backup', id: `${store}:vm/101`, store, access: 'write', seconds: length });
      const log = [`INFO: starting new backup job: vzdump 101 --storage pbs01-${store} --mode snapshot`];
      lab.cluster.startTask({ node: 'pve2', type: 'vzdump', id: '101', log, seconds: length });
    } else if (by === 'hand') toll.turnedAway += 1;
    else harm(`a scheduled backup to ${store} found it ${host.machine.phase === 'up' ? 'closed' : 'away'}`);
  };
  for (const job of jobs) {
    const at = (seconds: number, act: () => void) =>
      lab.cluster.time.after(Math.max(0, seconds - Date.now() / 1000) * factor, act);
    const { announcedAt = null } = job;
    if (announcedAt === null) announce(lab, job);
    else at(announcedAt, () => announce(lab, job));
    at(job.at, () => void begin(job));
  }
  return toll;
}

/** Puts a scheduled job where PVE and PBS show it. */
function announce(lab: Lab, { kind, by, store, at }: PlayedJob): void {
  if (by === 'hand') return;
  const clock = new Date(at * 1000).toISOString();
  if (kind === 'backup')
    lab.cluster.jobs.push({
      id: `backup-${store}-${at}`,
      // The lab reads schedules by the clock of its own machine.
      schedule: localTime(at),
      enabled: true,
      storage: `pbs01-${store}`,
      vmid: '101',
    });
  else
    lab.hosts
      .get('pbs01')
      ?.jobs.push({ kind, id: `${kind}-${store}-${at}`, store, schedule: clock.slice(11, 16), nextRun: at });
}

function localTime(seconds: number): string {
  const date = new Date(seconds * 1000);
  return [date.getHours(), date.getMinutes()].map((part) => String(part).padStart(2, '0')).join(':');
}
