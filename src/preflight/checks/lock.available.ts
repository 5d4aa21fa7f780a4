import { type Standing, standing } from '../../lock/tag.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from '../check.js';
import type { ClusterAccess } from '../facts.js';

type Seen =
  | { readonly carrier: 'missing' }
  | { readonly carrier: 'found'; readonly standing: Standing; readonly configLock: string | null };

/** Could the lock of every cluster be taken now? Expiry is judged by the clock of a PVE node. */
export const lockAvailable: Check<{ locks: ReadonlyArray<readonly [string, Seen]>; ownRun: string | null }> =
  {
    id: 'lock.available',
    look: async ({ clusters, ownRun }) => ({
      locks: await Promise.all(clusters.map(async (cluster) => [cluster.name, await seen(cluster)] as const)),
      ownRun,
    }),
    judge: ({ locks, ownRun }, { target: { policy } }) =>
      worstOf(
        locks.map(([name, lock]): [string, Judgement] => [name, judge(lock, ownRun, policy.onExpiredLock)]),
      ),
  };

async function seen({ pve, config, lockVmid }: ClusterAccess): Promise<Seen> {
  const { nodes } = await pve.clusterStatus();
  const node = nodes.find(({ online }) => online);
  if (!node) throw new Error('no node is online to tell the time');
  const { epochSeconds } = await pve.nodeTime(node.name);
  if (config.lock.store === 'registered-tag') {
    return {
      carrier: 'found',
      standing: standing(config.lock.tag, await pve.registeredTags(), epochSeconds),
      configLock: null,
    };
  }
  const guest = (await pve.guests()).find(({ vmid }) => vmid === lockVmid);
  if (!guest) return { carrier: 'missing' };
  return {
    carrier: 'found',
    standing: standing(config.lock.tag, guest.tags, epochSeconds),
    configLock: guest.lock,
  };
}

function judge(lock: Seen, ownRun: string | null, onExpired: 'postpone' | 'take-over'): Judgement {
  if (lock.carrier === 'missing') return block('the guest that should carry the lock tag does not exist');
  const { standing: current, configLock } = lock;
  if (current.kind === 'unreadable')
    return block(`the tag "${current.tag}" begins like a lock and cannot be read`);
  if (current.kind === 'held' && current.lock.run !== ownRun) {
    const { owner, run, expiresAt } = current.lock;
    const holder = `"${owner}" (run ${run})`;
    if (!current.expired)
      return block(`held by ${holder} until ${new Date(expiresAt * 1000).toISOString()}`, {}, expiresAt);
    const line = `left by ${holder}, expired at ${new Date(expiresAt * 1000).toISOString()}`;
    return onExpired === 'take-over' ? warn(`${line}; will be taken over`) : block(line);
  }
  if (configLock) return block(`the guest that carries the tag is locked by PVE (${configLock})`);
  return pass(current.kind === 'held' ? 'held by this run' : 'free');
}
