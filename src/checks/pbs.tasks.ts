import { inUseOf, namesStore, type PbsTask, type StoresInUse } from '../api/pbs.js';
import { formatDuration } from '../config/quantity.js';
import { isoFromSeconds, utcMoment } from '../moment.js';
import { ALSO_DRAINING, GATES } from '../rules/rounds.js';
import { syncsHere } from '../schedule/syncs-here.js';
import { block, check, pass } from './check.js';

interface Seen extends StoresInUse {
  readonly tasks: readonly PbsTask[];
  /** Those of other hosts of the config that use this one. */
  readonly syncs?: readonly string[];
}

/** Does a task or an active operation use a datastore, or would a reboot harm one? */
export const pbsTasks = check({
  id: 'pbs.tasks',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'drain', last: GATES },
  // Within a run what counts is the moment after the datastores were touched.
  async look(answers): Promise<Seen> {
    const { pbs, ownRun } = answers;
    const { running: syncs } = await syncsHere(answers);
    return { ...(await inUseOf(pbs, ownRun === null ? 'before' : 'after')), syncs };
  },
  judge({ tasks, operations, lingering, syncs = [] }, { target: { host }, ownTasks, now }) {
    const blocking = tasks.filter(({ type, upid }) => blocksReboot(type) && !ownTasks.includes(upid));
    const busy = operations.filter(({ read, write }) => read + write > 0);
    const orphans = busy.filter(
      ({ datastore, write }) =>
        lingering.includes(datastore) || (write > 0 && !tasks.some((task) => namesStore(task, datastore))),
    );
    const seen = [
      ...blocking.map((task) => `${taskName(task.type, task.id)} is running${sinceAndBy(task, now)}`),
      ...busy.map((use) => {
        const line = `${use.datastore}: ${use.read} reading, ${use.write} writing`;
        return orphans.includes(use) ? `${line}, and no task that would explain it` : line;
      }),
    ];
    seen.push(...syncs);
    if (seen.length === 0) return pass('no running task');
    const hint =
      'A call that hangs, or a process that ended early. Where nothing uses these datastores, restart the proxy:';
    const old = blocking.filter(({ startedAt }) => now - startedAt > A_DAY);
    const stale = orphans.length > 0 && blocking.length === 0 && syncs.length === 0;
    return {
      ...block(seen.slice(0, 6).join('; ') + (seen.length > 6 ? `; and ${seen.length - 6} more` : ''), {
        tasks: blocking.map(({ upid, type }) => ({ upid, type })),
        ...(stale ? { hint } : old.length > 0 ? { hint: HANGS } : {}),
      }),
      ...(old.length > 0
        ? { fixes: [{ where: host, commands: old.flatMap(({ upid }) => lookAndEnd(upid)) }] }
        : {}),
      ...(stale
        ? { fixes: [{ where: host, commands: ['systemctl restart proxmox-backup-proxy.service'] }] }
        : {}),
    };
  },
});

const A_DAY = 86_400;
const HANGS =
  'A task that has run for more than a day may hang, as when its client is gone. Look at its log; only where nothing comes of it any more, end it:';

const lookAndEnd = (upid: string): string[] => [
  `proxmox-backup-manager task log '${upid}'`,
  `proxmox-backup-manager task stop '${upid}'`,
];

/** Both are in every answer of PBS. */
function sinceAndBy({ startedAt, user }: PbsTask, now: number): string {
  if (startedAt === undefined) return '';
  const since = utcMoment(isoFromSeconds(startedAt));
  return ` since ${since} (${formatDuration(Math.max(0, now - startedAt) * 1000)}), by ${user}`;
}

/**
 * Whether a reboot would do harm by killing a running task of this type. A type that is not listed
 * blocks, since its effect is unknown.
 * @see upstream proxmox-backup, worker types
 */
export const blocksReboot = (type: string): boolean => !HARMLESS.has(type);

const HARMLESS = new Set(['logrotate', 'notification-threshold-reset', 'benchmark']);

/** In an operator's words; the type itself where there are none. */
function taskName(type: string, id: string | null): string {
  const known: Record<string, string> = {
    backup: 'backup',
    reader: 'restore',
    syncjob: 'sync job',
    sync: 'sync',
    prune: 'prune',
    prunejob: 'prune job',
    garbage_collection: 'garbage collection',
    verificationjob: 'verify job',
    termproxy: 'open console (another administrator may be upgrading)',
    aptupdate: 'apt update',
  };
  return `${(Object.hasOwn(known, type) ? known[type] : null) ?? type}${id ? ` of ${id}` : ''}`;
}
