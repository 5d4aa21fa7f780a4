import { noNode } from '../api/absent.js';
import type { Fix } from '../fault.js';
import type { ClusterAnswers } from '../host/answers.js';
import { type Standing, standing } from '../lock/tag.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

type Seen =
  | { readonly carrier: 'unnamed' }
  | { readonly carrier: 'missing'; readonly vmid: number }
  /** Its node is offline: PVE shows the tags, but they cannot be written. */
  | { readonly carrier: 'unreachable'; readonly vmid: number; readonly node: string }
  | { readonly carrier: 'found'; readonly standing: Standing; readonly configLock: string | null };

/** Could the lock of every cluster be taken now? Expiry is judged by the clock of a PVE node. */
export const lockAvailable = perCluster({
  id: 'lock.available',
  rules: { rounds: ALSO_DRAINING },
  look: getLock,
  judge: (seen, { target, ownRun }, cluster) => judge(cluster, seen, ownRun, target.policy.onExpiredLock),
});

/** The same for `doctor`: could it be taken if it were free? Who holds it now does not matter to set-up. */
export const lockSetUp = perCluster({
  id: 'lock.available',
  rules: { rounds: ALSO_DRAINING },
  look: getLock,
  judge: (seen, { ownRun }, cluster) => {
    const now = seen.carrier === 'found' ? { ...seen, configLock: null } : seen;
    const held = now.carrier === 'found' && now.standing.kind === 'held' ? now.standing : null;
    if (held && !held.expired) {
      return pass(`held by "${held.lock.owner}" (run ${held.lock.run}) at the moment`);
    }
    const judgement = judge(cluster, now, ownRun, 'postpone');
    return held ? { ...judgement, status: 'warn' } : judgement;
  },
});

async function getLock({ name, pve, config: { lock }, lockVmid }: ClusterAnswers): Promise<Seen> {
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
}

function judge(
  cluster: string,
  seen: Seen,
  ownRun: string | null,
  onExpired: 'postpone' | 'take-over',
): Judgement {
  const breakIt = { where: 'controller', commands: [`pbs-ctl lock break --cluster ${cluster} --yes`] };
  const listGuests = {
    where: `a node of ${cluster}`,
    commands: ['pvesh get /cluster/resources --type vm'],
  };
  if (seen.carrier === 'unnamed') {
    return blocked('the config names no lock carrier', {
      hint: `Set clusters.${cluster}.lock.vmid to a guest of that cluster.`,
      fixes: [listGuests],
    });
  }
  if (seen.carrier === 'missing') {
    return blocked(`guest ${seen.vmid}, the lock carrier, does not exist, or the token may not see it`, {
      hint: `Set clusters.${cluster}.lock.vmid to a guest of that cluster, and grant VM.Audit on /vms/${seen.vmid}.`,
      fixes: [listGuests],
    });
  }
  if (seen.carrier === 'unreachable') {
    return {
      ...block(`guest ${seen.vmid}, the lock carrier, is on ${seen.node}, which is offline`),
      fixes: [{ where: `another node of ${cluster}`, commands: ['pvecm status'] }],
    };
  }
  const { standing: current, configLock } = seen;
  if (current.kind === 'unreadable') {
    return blocked(`the tag "${current.tag}" begins like a lock but cannot be read`, {
      hint: 'First find out who set it.',
      fixes: [breakIt],
    });
  }
  const other = current.kind === 'held' && current.lock.run !== ownRun ? current : null;
  const holder = other ? `"${other.lock.owner}" (run ${other.lock.run})` : '';
  const until = other ? isoFromSeconds(other.lock.expiresAt) : '';
  if (other && !other.expired) return block(`held by ${holder} until ${until}`, {}, other.lock.expiresAt);
  if (other && onExpired === 'postpone') {
    return blocked(`left by ${holder}, expired at ${until}`, {
      hint: 'First make sure that its holder has ended.',
      fixes: [breakIt],
    });
  }
  // Also where the lock is ours or may be taken over: no tag can be written or renewed.
  if (configLock) return block(`PVE has locked the lock carrier (${configLock})`);
  if (other) return warn(`left by ${holder}, expired at ${until}; will be taken over`);
  return pass(current.kind === 'held' ? 'held by this run' : 'free');
}

const blocked = (summary: string, { hint, fixes }: { hint: string; fixes: readonly Fix[] }): Judgement => ({
  ...block(summary, { hint }),
  fixes,
});
