import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { UnreadableJournal } from '../journal/journal.js';
import type { Signals } from '../world.js';

export interface FleetEnd {
  /** Hosts that were not begun, in order. */
  readonly left: readonly string[];
  /** What ended hosts before their runs had begun. */
  readonly failures: readonly unknown[];
  /** A signal came; the runs under way had to deal with it themselves. */
  readonly interrupted: boolean;
}

/**
 * Carries out something for each host, side by side where they share no cluster.
 * @param act answers false when no further host is to begin; those under way run to their end
 */
export async function inFleet(
  config: Config,
  targets: readonly Target[],
  { lanes, world, act }: { lanes: number; world: Signals; act: (target: Target) => Promise<boolean> },
): Promise<FleetEnd> {
  const failures: unknown[] = [];
  // One host alone deals with a signal itself, and is ended by it where it does not.
  const unheed = targets.length > 1 ? world.heedSignals() : () => {};
  try {
    const left = await workThrough({
      items: targets.map((target) => ({ target, clusters: clustersOf(config, target) })),
      lanes,
      mayBegin: () => !world.stop.aborted,
      act: ({ target }) =>
        act(target).catch((error: unknown) => {
          failures.push(error);
          // A journal says nothing about the other hosts.
          return error instanceof UnreadableJournal;
        }),
    });
    return { left: left.map(({ target }) => target.host), failures, interrupted: world.stop.aborted };
  } finally {
    unheed();
  }
}

/**
 * The clusters that a host shares with others: by name, and by address too, since a config may know one
 * cluster under two names, whose lock is one all the same.
 */
function clustersOf(config: Config, { clusters }: Target): ReadonlySet<string> {
  const addresses = clusters.flatMap((name) => config.clusters[name]?.endpoints ?? []);
  return new Set([
    ...clusters.map((name) => `cluster ${name}`),
    ...addresses.map((address) => new URL(address).host.toLowerCase()),
  ]);
}

/** Work on something that belongs to clusters: none of them may be worked on twice at once. */
interface Member {
  /** What stands for a cluster; empty for a host that has to do with none. */
  readonly clusters: ReadonlySet<string>;
}

interface Work<Item extends Member> {
  readonly items: readonly Item[];
  /** How many may be under way at once. */
  readonly lanes: number;
  /** Carries one out. @returns false when no further one is to begin */
  readonly act: (item: Item) => Promise<boolean>;
  /** Asked before each one begins. */
  readonly mayBegin: () => boolean;
}

/** Works through all of them in order, several at once. @returns those that were not begun */
export async function workThrough<Item extends Member>({
  items,
  lanes,
  act,
  mayBegin,
}: Work<Item>): Promise<Item[]> {
  const waiting = [...items];
  const running = new Map<Item, Promise<void>>();
  let continues = true;
  for (;;) {
    while (continues && mayBegin() && running.size < lanes) {
      const item = nextOf(waiting, running.keys());
      if (!item) break;
      waiting.splice(waiting.indexOf(item), 1);
      const ended = act(item).then((more) => {
        continues &&= more;
        running.delete(item);
      });
      running.set(item, ended);
    }
    if (running.size === 0) return waiting;
    await Promise.race(running.values());
  }
}

/** The first that shares no cluster with any that runs, nor with one that waits before it and so holds its place. */
function nextOf<Item extends Member>(waiting: readonly Item[], running: Iterable<Member>): Item | undefined {
  const busy = new Set([...running].flatMap(({ clusters }) => [...clusters]));
  return waiting.find(({ clusters }) => {
    const isFree = [...clusters].every((cluster) => !busy.has(cluster));
    for (const cluster of clusters) busy.add(cluster);
    return isFree;
  });
}
