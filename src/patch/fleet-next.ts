/** Work on something that belongs to clusters: none of them may be worked on twice at once. */
export interface Member {
  /** Whatever stands for a cluster; empty for a host that has to do with none. */
  readonly clusters: ReadonlySet<string>;
}

/**
 * Which of those that wait begins next; null while none may. Within a cluster their order is kept: nobody
 * overtakes another with whom it shares one. Of independent ones the first begins, unless there is more
 * than one lane: then that of the cluster in which most still wait, since it decides how long all of them
 * take. Pure.
 * @param waiting in the order in which they were named
 */
export function nextOf<Item extends Member>(
  waiting: readonly Item[],
  running: Iterable<Member>,
  lanes: number,
): Item | null {
  const busy = new Set<string>();
  let lanesInUse = 0;
  for (const { clusters } of running) {
    lanesInUse += 1;
    for (const cluster of clusters) busy.add(cluster);
  }
  if (lanesInUse >= lanes) return null;
  const ready = waiting.filter((item) => {
    const free = [...item.clusters].every((cluster) => !busy.has(cluster));
    // What waits holds its place: those behind it in the same cluster wait as well.
    for (const cluster of item.clusters) busy.add(cluster);
    return free;
  });
  if (lanes === 1) return ready[0] ?? null;
  const queues = new Map<string, number>();
  for (const { clusters } of waiting)
    for (const cluster of clusters) queues.set(cluster, (queues.get(cluster) ?? 0) + 1);
  const queue = ({ clusters }: Member) =>
    Math.max(1, ...[...clusters].map((cluster) => queues.get(cluster) ?? 0));
  return ready.reduce<Item | null>(
    (best, item) => (best === null || queue(item) > queue(best) ? item : best),
    null,
  );
}
