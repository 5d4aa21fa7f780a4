import { noNode } from '../api/absent.js';
import { carrierByOrder } from '../config/target.js';
import type { Fix } from '../fault.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';
import { holderOf } from '../lock/lock-fault.js';
import { describeElsewhere, type Seen as Locks, seenAt } from '../lock/look.js';
import { nameOfPlace, type Place, type TagsAt } from '../lock/tag.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

type Seen =
  | { readonly carrier: 'unnamed' }
  | { readonly carrier: 'missing'; readonly vmid: number }
  /** Its node is offline: PVE shows the tags, but they cannot be written. */
  | { readonly carrier: 'unreachable'; readonly vmid: number; readonly node: string }
  | {
      readonly carrier: 'found';
      readonly place: Place;
      readonly locks: Locks;
      readonly configLock: string | null;
      /** Not set in the config, and another order of its hosts would be another carrier. */
      readonly byOrder: boolean;
    };

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
    const held = now.carrier === 'found' && now.locks.kind === 'held' ? now.locks : null;
    if (now.carrier === 'found' && held?.counts && !held.counts.expired) {
      const { lock } = held.counts;
      const holder = lock === 'unreadable' ? '' : holderOf(lock);
      return noting(pass(`held by ${holder} at the moment`), cluster, now, ownRun);
    }
    const judgement = judge(cluster, now, ownRun, 'postpone');
    return held ? { ...judgement, status: 'warn' } : judgement;
  },
});

async function getLock(
  { name, pve, config: { lock }, lockVmid }: ClusterAnswers,
  { target }: Answers,
): Promise<Seen> {
  const { store, tag } = lock;
  const hosts = [target.config, ...target.others.map(({ config }) => config)];
  const timeOn = async (node: string | undefined) => {
    if (node === undefined) throw noNode(name);
    return (await pve.nodeTime(node)).epochSeconds;
  };
  const [{ online }, guests, registered] = await Promise.all([
    pve.clusterStatus(),
    pve.guests(),
    pve.clusterOptions().then(({ registeredTags }) => registeredTags),
  ]);
  const places: TagsAt[] = [
    { place: null, tags: registered },
    ...guests.map(({ vmid, tags }) => ({ place: vmid, tags })),
  ];
  const found = (place: Place, now: number, configLock: string | null): Seen => ({
    carrier: 'found',
    place,
    locks: seenAt(tag, places, place, now),
    configLock,
    byOrder: carrierByOrder(name, lock, hosts),
  });
  if (store === 'registered-tag') return found(null, await timeOn(online[0]), null);
  if (lockVmid === null) return { carrier: 'unnamed' };
  const guest = guests.find(({ vmid }) => vmid === lockVmid);
  if (!guest) return { carrier: 'missing', vmid: lockVmid };
  if (!online.includes(guest.node)) return { carrier: 'unreachable', vmid: lockVmid, node: guest.node };
  return found(lockVmid, await timeOn(guest.node), guest.lock);
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
  const { locks, configLock, place } = seen;
  const all = locks.counts ? [locks.counts, ...locks.others] : [];
  const [unreadable] = all.filter(({ lock }) => lock === 'unreadable');
  if (unreadable) {
    const where = unreadable.place === place ? '' : ` on ${nameOfPlace(unreadable.place)}`;
    return blocked(`the tag "${unreadable.tag}"${where} begins like a lock but cannot be read`, {
      hint: 'First find out who set it.',
      fixes: [breakIt],
    });
  }
  const [other] = all.filter(({ lock }) => lock !== 'unreadable' && lock.run !== ownRun);
  if (other && other.lock !== 'unreadable') {
    const { lock, expired } = other;
    const isCarrier = other.place === place;
    const until = isoFromSeconds(lock.expiresAt);
    const where = isCarrier ? '' : ` (tag on ${nameOfPlace(other.place)})`;
    if (!expired) return block(`held by ${holderOf(lock)} until ${until}${where}`, {}, lock.expiresAt);
    if (!isCarrier)
      return blocked(describeElsewhere(other, locks.counts), {
        hint: 'First make sure that its holder has ended.',
        fixes: [breakIt],
      });
    if (onExpired === 'postpone') {
      return blocked(`left by ${holderOf(lock)}, expired at ${until}`, {
        hint: 'First make sure that its holder has ended.',
        fixes: [breakIt],
      });
    }
    // A tag elsewhere holds it, whatever becomes of this one.
    const [elsewhere] = all.filter((each) => each.place !== place && isAnother(each, ownRun));
    if (elsewhere)
      return blocked(describeElsewhere(elsewhere, null), {
        hint: 'First make sure that its holder has ended.',
        fixes: [breakIt],
      });
    if (!configLock) return warn(`left by ${holderOf(lock)}, expired at ${until}; will be taken over`);
  }
  // Also where the lock is ours or may be taken over: no tag can be written or renewed.
  if (configLock) return block(`PVE has locked the lock carrier (${configLock})`);
  return noting(pass(locks.kind === 'held' ? 'held by this run' : 'free'), cluster, seen, ownRun);
}

const isAnother = ({ lock }: Locks['others'][number], ownRun: string | null) =>
  lock === 'unreadable' || lock.run !== ownRun;

/** What is well today and will not stay so. */
function noting(
  judgement: Judgement,
  cluster: string,
  { place, byOrder, locks }: Extract<Seen, { carrier: 'found' }>,
  ownRun: string | null,
): Judgement {
  const remarks = [
    ...(byOrder && place !== null
      ? [
          `the config does not say which guest carries it: ${place} is that of the first host, and in a config with another order it is another`,
        ]
      : []),
    ...locks.others
      .filter((each) => each.place !== place || isAnother(each, ownRun))
      .map((each) => describeElsewhere(each, locks.counts)),
  ];
  if (remarks.length === 0) return judgement;
  const hint = `Set clusters.${cluster}.lock.vmid to ${place}, in every config of this cluster.`;
  return warn([judgement.summary, ...remarks].join('; '), byOrder ? { hint } : {});
}

const blocked = (summary: string, { hint, fixes }: { hint: string; fixes: readonly Fix[] }): Judgement => ({
  ...block(summary, { hint }),
  fixes,
});
