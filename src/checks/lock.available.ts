import { noNode } from '../api/absent.js';
import { type Standing, standing } from '../lock/tag.js';
import { isoFromSeconds } from '../moment.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

type Seen =
  | { readonly carrier: 'unnamed' }
  | { readonly carrier: 'missing'; readonly vmid: number }
  /** Its node is away: PVE shows the tags, and nobody can write them. */
  | { readonly carrier: 'unreachable'; readonly vmid: number; readonly node: string }
  | { readonly carrier: 'found'; readonly standing: Standing; readonly configLock: string | null };

/** Could the lock of every cluster be taken now? Expiry is judged by the clock of a PVE node. */
export const lockAvailable = perCluster<Seen>({
  id: 'lock.available',
  look: async ({ name, pve, config: { lock }, lockVmid }) => {
    const { store, tag } = lock;
    const timeOn = async (node: string | undefined) => {
      if (node === undefined) throw noNode(name);
      return (await pve.nodeTime(node)).epochSeconds;
    };
    if (store === 'registered-tag') {
      const time = pve.clusterStatus().then(({ online: [first] }) => timeOn(first));
      const [tags, now] = await Promise.all([pve.registeredTags(), time]);
      return { carrier: 'found', standing: standing(tag, tags, now), configLock: null };
    }
    if (lockVmid === null) return { carrier: 'unnamed' };
    const [{ online }, guests] = await Promise.all([pve.clusterStatus(), pve.guests()]);
    const guest = guests.find(({ vmid }) => vmid === lockVmid);
    if (!guest) return { carrier: 'missing', vmid: lockVmid };
    if (!online.includes(guest.node)) return { carrier: 'unreachable', vmid: lockVmid, node: guest.node };
    const now = await timeOn(guest.node);
    return { carrier: 'found', standing: standing(tag, guest.tags, now), configLock: guest.lock };
  },
  judge: (seen, { target, ownRun }, cluster) => judge(cluster, seen, ownRun, target.policy.onExpiredLock),
});

function judge(
  cluster: string,
  seen: Seen,
  ownRun: string | null,
  onExpired: 'postpone' | 'take-over',
): Judgement {
  if (seen.carrier === 'unnamed') {
    return block('no guest is named that could carry the lock tag', {
      hint: `set clusters.${cluster}.lock.vmid to a guest of that cluster`,
    });
  }
  if (seen.carrier === 'missing') {
    return block(`guest ${seen.vmid}, which should carry the lock tag, does not exist or must not be seen`, {
      hint: `set clusters.${cluster}.lock.vmid to a guest of that cluster, and grant VM.Audit on /vms/${seen.vmid}`,
    });
  }
  if (seen.carrier === 'unreachable') {
    return block(`guest ${seen.vmid}, which carries the lock tag, is on ${seen.node}, which is offline`);
  }
  const { standing: current, configLock } = seen;
  if (current.kind === 'unreadable') {
    return block(`the tag "${current.tag}" begins like a lock and cannot be read`, {
      hint: `find out who set it, then: pbs-ctl lock break --cluster ${cluster} --yes`,
    });
  }
  const other = current.kind === 'held' && current.lock.run !== ownRun ? current : null;
  const holder = other ? `"${other.lock.owner}" (run ${other.lock.run})` : '';
  const until = other ? isoFromSeconds(other.lock.expiresAt) : '';
  if (other && !other.expired) return block(`held by ${holder} until ${until}`, {}, other.lock.expiresAt);
  if (other && onExpired === 'postpone') {
    return block(`left by ${holder}, expired at ${until}`, {
      hint: `make sure that nothing runs any more, then: pbs-ctl lock break --cluster ${cluster} --yes`,
    });
  }
  // Also while the lock is ours or may be taken over: no tag can be written, none renewed.
  if (configLock) return block(`the guest that carries the tag is locked by PVE (${configLock})`);
  if (other) return warn(`left by ${holder}, expired at ${until}; will be taken over`);
  return pass(current.kind === 'held' ? 'held by this run' : 'free');
}
