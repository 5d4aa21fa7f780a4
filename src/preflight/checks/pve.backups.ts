import type { PveTask } from '../../api/pve.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from '../check.js';
import { storagesOfHost } from '../storage-match.js';

interface Seen {
  readonly running: ReadonlyArray<PveTask & { readonly storage: string | null }>;
  readonly ghosts: readonly PveTask[];
  readonly ours: ReadonlySet<string>;
  readonly guest: number | null;
}

const TYPES = new Set(['vzdump', 'qmrestore', 'vzrestore', 'pbs-download']);
const LOG_HEAD = 20;

/**
 * Does a backup or restore run on any node of any cluster served? One whose log names a storage that is
 * not this host passes; one that still waits for the node's lock names none, and will start writing.
 */
export const pveBackups: Check<ReadonlyArray<readonly [string, Seen]>> = {
  id: 'pve.backups',
  look: ({ clusters, pbs, target }) =>
    Promise.all(
      clusters.map(async ({ name, pve }) => {
        const [tasks, { nodes }, storages, { fingerprint }] = await Promise.all([
          pve.clusterTasks(),
          pve.clusterStatus(),
          pve.storages(),
          pbs.nodeStatus(),
        ]);
        const online = new Set(nodes.filter((node) => node.online).map((node) => node.name));
        const open = tasks.filter(({ type, endedAt }) => TYPES.has(type) && endedAt === null);
        const running = await Promise.all(
          open
            .filter(({ node }) => online.has(node))
            .map(async (task) => ({
              ...task,
              storage:
                task.type === 'vzdump'
                  ? await targetOf(() => pve.taskLogHead(task.node, task.upid, LOG_HEAD))
                  : null,
            })),
        );
        const ghosts = open.filter(({ node }) => !online.has(node));
        const guest = target.guest?.cluster === name ? target.guest.vmid : null;
        return [
          name,
          { running, ghosts, ours: storagesOfHost(storages, target, fingerprint), guest },
        ] as const;
      }),
    ),
  judge: (seen) => worstOf(seen.map(([name, part]): [string, Judgement] => [name, judge(part)])),
};

function judge({ running, ghosts, ours, guest }: Seen): Judgement {
  const blocking = running.filter(
    ({ storage, id }) => storage === null || ours.has(storage) || (guest !== null && id === String(guest)),
  );
  if (blocking.length > 0) {
    const lines = blocking.map(
      ({ type, node, id, storage }) =>
        `${type}${id ? ` of guest ${id}` : ''} is running on ${node}${storage ? ` to ${storage}` : ''}`,
    );
    return block(lines.join('; '), { tasks: blocking.map(({ upid }) => upid) });
  }
  if (ghosts.length > 0)
    return warn(`no backup is running; ${ghosts.length} listed as running on a node that is offline`);
  return pass('no backup or restore is running');
}

/** The storage that the first log lines name; null where they name none, or cannot be read. */
async function targetOf(head: () => Promise<string[]>): Promise<string | null> {
  const lines = await head().catch(() => []);
  return /--storage[ =](\S+)/.exec(lines.join('\n'))?.[1] ?? null;
}
