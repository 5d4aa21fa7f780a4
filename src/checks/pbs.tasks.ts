import type { PbsTask } from '../api/pbs.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { block, check, pass } from './check.js';

interface Seen {
  readonly tasks: readonly PbsTask[];
  readonly operations: ReadonlyArray<{
    readonly datastore: string;
    readonly read: number;
    readonly write: number;
  }>;
}

/** Does a task or an active operation use a datastore, or would a reboot harm one? */
export const pbsTasks = check({
  id: 'pbs.tasks',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'drain', last: true },
  async look({ pbs }): Promise<Seen> {
    const [tasks, datastores] = await Promise.all([pbs.runningTasks(), pbs.datastores()]);
    const open = datastores.filter(({ maintenance }) => maintenance?.type !== 'offline');
    const operations = await Promise.all(
      open.map(async ({ name }) => ({ datastore: name, ...(await pbs.activeOperations(name)) })),
    );
    return { tasks, operations };
  },
  judge({ tasks, operations }, { ownTasks }) {
    const blocking = tasks.filter(({ type, upid }) => blocksReboot(type) && !ownTasks.includes(upid));
    const busy = operations.filter(({ read, write }) => read + write > 0);
    const seen = [
      ...blocking.map(({ type, id }) => `${taskName(type, id)} is running`),
      ...busy.map(({ datastore, read, write }) => `${datastore}: ${read} reading, ${write} writing`),
    ];
    if (seen.length === 0) return pass('no running task');
    return block(seen.slice(0, 6).join('; ') + (seen.length > 6 ? `; and ${seen.length - 6} more` : ''), {
      tasks: blocking.map(({ upid, type }) => ({ upid, type })),
    });
  },
});

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
  return `${known[type] ?? type}${id ? ` of ${id}` : ''}`;
}
