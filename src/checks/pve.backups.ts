import type { PveTask } from '../api/pve.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { howToTell, type Storages, storagesSeen } from '../schedule/whose-storage.js';
import { destinationOf, doubtOf, guestsNeeded } from '../schedule/writing-jobs.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

interface Seen {
  /** `command` is null where the log does not show it. */
  readonly running: ReadonlyArray<PveTask & { readonly command: VzdumpCommand | null }>;
  /** Listed as running on a node that is offline. */
  readonly ghosts: readonly PveTask[];
  readonly storages: Storages;
  /** Storages that jobs name while PVE lists none at all. */
  readonly unlisted?: readonly string[];
  /** Guests that a run needs, where they are. */
  readonly guests: ReadonlyArray<{ readonly vmid: number; readonly node: string }>;
}

const TYPES = new Set(['vzdump', 'qmrestore', 'vzrestore', 'pbs-download']);
const LOG_HEAD = 20;

/**
 * Does a backup or restore run on any node of any cluster served? Only a vzdump whose log names a storage
 * that is surely not this host passes, unless it backs up the VM of this host; one that still waits for
 * the lock of its node names none, and will start writing.
 */
export const pveBackups = perCluster({
  id: 'pve.backups',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'drain' },
  look: async (cluster, answers): Promise<Seen> => {
    const { pve } = cluster;
    const needed = guestsNeeded(answers, cluster);
    const [tasks, { online }, storages, guests, jobs] = await Promise.all([
      pve.clusterTasks(),
      pve.clusterStatus(),
      storagesSeen(answers, cluster),
      pve.guests(),
      pve.backupJobs(),
    ]);
    const open = tasks.filter(({ type, endedAt }) => TYPES.has(type) && endedAt === null);
    const commandOf = async ({ type, node, upid }: PveTask) =>
      // Where the log cannot be read, the task counts as one that writes here.
      type === 'vzdump' ? readVzdump(await pve.taskLogHead(node, upid, LOG_HEAD).catch(() => [])) : null;
    const running = await Promise.all(
      open
        .filter(({ node }) => online.includes(node))
        .map(async (task) => ({ ...task, command: await commandOf(task) })),
    );
    const ghosts = open.filter(({ node }) => !online.includes(node));
    const named = jobs.flatMap(({ enabled, storage }) => (enabled && storage !== null ? [storage] : []));
    const unlisted = storages.whose.size === 0 ? [...new Set(named)] : [];
    return {
      running,
      ghosts,
      storages,
      unlisted,
      guests: guests.filter(({ vmid }) => needed.includes(vmid)),
    };
  },
  judge: (seen, { target: { host } }, cluster) => judge(seen, host, cluster),
});

function judge(
  { running, ghosts, storages, guests, unlisted = [] }: Seen,
  host: string,
  cluster: string,
): Judgement {
  const { misnamed, unseen } = storages;
  if (misnamed.length > 0) {
    return block(`clusters.${cluster}.otherStorages names ${misnamed.join(', ')}, which is ${host}`, {
      error: 'config.other-storages',
      hint: `Remove it from clusters.${cluster}.otherStorages in the config.`,
    });
  }
  if (unlisted.length > 0)
    return block(
      `PVE lists no storage at all, and its backup jobs write to ${unlisted.join(', ')}: where they lead is not known`,
    );
  const blocking = running.flatMap(({ upid, type, node, id, command }) => {
    const storage = command?.storage ?? null;
    const destination = destinationOf(storage, storages);
    const needed = guests.filter((guest) => command !== null && includesGuest(command, node, guest));
    if (destination === 'elsewhere' && needed.length === 0) return [];
    const what = `${type}${id ? ` of guest ${id}` : ''} is running on ${node}`;
    if (destination === 'elsewhere') {
      const whom = needed.map(({ vmid }) => vmid).join(', ');
      return [{ upid, doubt: null, line: `${what} and includes guest ${whom}, which the run needs` }];
    }
    const doubt = doubtOf(storage, storages);
    const where =
      storage === null ? '' : doubt === null ? ` to ${storage}` : ` and may write here (${doubt})`;
    return [{ upid, doubt, line: `${what}${where}` }];
  });
  const aside = ghosts.length === 0 ? '' : `; ${ghosts.length} listed as running on a node that is offline`;
  if (blocking.length > 0) {
    return block(`${blocking.map(({ line }) => line).join('; ')}${aside}`, {
      tasks: blocking.map(({ upid }) => upid),
      ...(blocking.some(({ doubt }) => doubt !== null) ? { hint: howToTell(host, cluster) } : {}),
    });
  }
  if (ghosts.length > 0 || unseen !== null) {
    return warn([...(unseen === null ? [] : [unseen]), `no backup is running${aside}`].join('; '), {
      tasks: ghosts.map(({ upid }) => upid),
      ...(unseen === null
        ? {}
        : {
            hint: `Add the server that the storages of ${cluster} name to hosts.${host}.addresses, or take ${cluster} out of hosts.${host}.serves.`,
          }),
    });
  }
  if (running.length === 0) return pass('no backup or restore is running');
  return pass(`${running.length} running, none of them to this host`);
}

/** The command line of a vzdump, as its log repeats it. */
interface VzdumpCommand {
  /** Null where it goes to the default of its node, or to a folder. */
  readonly storage: string | null;
  /** Guests named; empty for a pool or for all. */
  readonly vmids: readonly number[];
  readonly excluded: readonly number[];
}

const HEADLINE = /starting new backup job: vzdump(?:\s+(.*))?$/;
/** Words as a shell splits them: a quoted text, such as a template for notes, is not an option. */
const WORD = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g;

/**
 * The command in the first lines of a vzdump's log; null where it is not there (the task still waits for
 * the lock of its node) or names several storages.
 * @see `INFO: starting new backup job: vzdump 100 101 --storage pbs1 --mode snapshot`
 */
export function readVzdump(lines: readonly string[]): VzdumpCommand | null {
  const headline = lines.flatMap((line) => HEADLINE.exec(line) ?? []).at(1);
  if (headline === undefined) return null;
  const words = headline.match(WORD) ?? [];
  const firstOption = words.findIndex((word) => word.startsWith('--'));
  const named = firstOption === -1 ? words : words.slice(0, firstOption);
  const valuesOf = (option: string) =>
    words.flatMap((word, index) => {
      if (word === `--${option}`) return words[index + 1] ?? [];
      return word.startsWith(`--${option}=`) ? word.slice(option.length + 3) : [];
    });
  const storages = valuesOf('storage');
  if (storages.length > 1) return null;
  return { storage: storages[0] ?? null, vmids: ids(named), excluded: ids(valuesOf('exclude')) };
}

/** Does it back up this guest? One that names no guest takes those of its node. */
function includesGuest(
  { vmids, excluded }: VzdumpCommand,
  node: string,
  guest: { readonly vmid: number; readonly node: string },
): boolean {
  if (vmids.length > 0) return vmids.includes(guest.vmid);
  return node === guest.node && !excluded.includes(guest.vmid);
}

const ids = (words: readonly string[]) =>
  words
    .flatMap((word) => word.replace(/['"]/g, '').split(/[,;]/))
    .filter((id) => /^\d+$/.test(id))
    .map(Number);
