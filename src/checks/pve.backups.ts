import type { PveStorage, PveTask } from '../api/pve.js';
import { destinationOf, storagesOfHost } from '../schedule/storage-match.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from './check.js';
import { includesGuest, readVzdump, type VzdumpCommand } from './vzdump-log.js';

interface Seen {
  /** `command` is null where the log does not tell it. */
  readonly running: ReadonlyArray<PveTask & { readonly command: VzdumpCommand | null }>;
  /** Listed as running on a node that is offline. */
  readonly ghosts: readonly PveTask[];
  readonly storages: ReadonlyArray<Pick<PveStorage, 'storage'>>;
  /** Names of the storages that are this host. */
  readonly ours: ReadonlySet<string>;
  readonly guest: { readonly vmid: number; readonly node: string } | null;
}

const TYPES = new Set(['vzdump', 'qmrestore', 'vzrestore', 'pbs-download']);
const LOG_HEAD = 20;

/**
 * Does a backup or restore run on any node of any cluster served? Only a vzdump whose log names a storage
 * that is surely not this host passes, unless it backs up the VM of this host; one that still waits for
 * the lock of its node names none, and will start writing.
 */
export const pveBackups: Check<ReadonlyArray<readonly [string, Seen]>> = {
  id: 'pve.backups',
  look: ({ clusters, pbs, target }) =>
    Promise.all(
      clusters.map(async ({ name, pve }) => {
        const [tasks, { nodes }, storages, { fingerprint }, guest] = await Promise.all([
          pve.clusterTasks(),
          pve.clusterStatus(),
          pve.storages(),
          pbs.nodeStatus(),
          target.guest?.cluster === name ? pve.findGuest(target.guest.vmid) : null,
        ]);
        const online = new Set(nodes.filter((node) => node.online).map((node) => node.name));
        const open = tasks.filter(({ type, endedAt }) => TYPES.has(type) && endedAt === null);
        const running = await Promise.all(
          open
            .filter(({ node }) => online.has(node))
            .map(async (task) => ({
              ...task,
              command:
                task.type === 'vzdump'
                  ? await commandOf(() => pve.taskLogHead(task.node, task.upid, LOG_HEAD))
                  : null,
            })),
        );
        const ghosts = open.filter(({ node }) => !online.has(node));
        return [
          name,
          { running, ghosts, storages, ours: storagesOfHost(storages, target, fingerprint), guest },
        ] as const;
      }),
    ),
  judge: (seen) => worstOf(seen.map(([name, part]): [string, Judgement] => [name, judge(part)])),
};

function judge({ running, ghosts, storages, ours, guest }: Seen): Judgement {
  const blocking = running.flatMap(({ upid, type, node, id, command }) => {
    const storage = command?.storage ?? null;
    const destination = destinationOf(storage, storages, ours);
    const ofGuest = guest !== null && command !== null && includesGuest(command, node, guest);
    if (destination === 'elsewhere' && !ofGuest) return [];
    const what = `${type}${id ? ` of guest ${id}` : ''} is running on ${node}`;
    if (destination === 'elsewhere') return [{ upid, line: `${what} and includes the VM of this host` }];
    const where =
      storage === null
        ? ''
        : destination === 'here'
          ? ` to ${storage}`
          : ` to ${storage}, which the token cannot see`;
    return [{ upid, line: `${what}${where}` }];
  });
  const aside = ghosts.length === 0 ? '' : `; ${ghosts.length} listed as running on a node that is offline`;
  if (blocking.length > 0) {
    return block(`${blocking.map(({ line }) => line).join('; ')}${aside}`, {
      tasks: blocking.map(({ upid }) => upid),
    });
  }
  if (ghosts.length > 0) {
    return warn(`no backup is running${aside}`, { tasks: ghosts.map(({ upid }) => upid) });
  }
  if (running.length === 0) return pass('no backup or restore is running');
  return pass(`${running.length} running, none of them to this host`);
}

/** Null where the log cannot be read: then the task counts as one that writes here. */
async function commandOf(head: () => Promise<string[]>): Promise<VzdumpCommand | null> {
  return readVzdump(await head().catch(() => []));
}
