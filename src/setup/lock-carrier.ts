import type { PveGuest, PveNode } from '../api/pve.js';
import type { ClusterConfig } from '../config/schema.js';
import { standing } from '../lock/tag.js';
import { about, type Diagnosis } from './diagnosis.js';

export interface Anchor {
  readonly cluster: string;
  readonly lock: ClusterConfig['lock'];
  /** The guest that should carry the tag; null: none is named. */
  readonly vmid: number | null;
  /** That guest as the cluster lists it. */
  readonly guest: PveGuest | null;
  readonly nodes: readonly PveNode[];
  readonly registeredTags: readonly string[];
  /** Who may set tags: free, list, existing, none. */
  readonly tagAccess: string;
  /** May the token do what administrators may, tags included? */
  readonly modifiesAll: boolean;
  /** Clock of a PVE node, epoch seconds. */
  readonly now: number;
  readonly configPath: string;
}

/** Could a lock tag be written where the config wants it? Who holds it now is no matter of set-up. */
export function judgeAnchor(anchor: Anchor): Diagnosis {
  const { cluster, lock, vmid, guest, nodes, registeredTags, tagAccess, modifiesAll, now, configPath } =
    anchor;
  const { pass, warn, block } = about(`cluster ${cluster}`, 'lock');
  const onGuest = lock.store === 'guest-tag';
  const setVmid = `set clusters.${cluster}.lock.vmid in ${configPath} to a guest that is there`;
  if (onGuest && !guest) {
    const which =
      vmid === null
        ? 'no guest is named that could carry the lock tag'
        : `guest ${vmid}, which should carry the lock tag, does not exist or may not be seen`;
    return block(which, {
      hint: `${setVmid}.`,
      mends: [{ where: `a node of ${cluster}`, commands: ['pvesh get /cluster/resources --type vm'] }],
    });
  }
  if (guest && onGuest && !nodes.some(({ name, online }) => online && name === guest.node)) {
    return block(`guest ${guest.vmid}, which carries the lock tag, is on ${guest.node}, which is offline`, {
      mends: [{ where: `another node of ${cluster}`, commands: ['pvecm status'] }],
    });
  }
  if (onGuest && tagAccess !== 'free' && !modifiesAll) {
    return block(`only administrators may set tags in this cluster (user-tag-access is "${tagAccess}")`, {
      hint: `Or keep the lock in the registered tags: "store": "registered-tag" in ${configPath}.`,
      mends: [
        {
          where: `a node of ${cluster}`,
          commands: ['pvesh set /cluster/options --user-tag-access user-allow=free'],
        },
      ],
    });
  }
  const place =
    onGuest && guest
      ? `on guest ${guest.vmid}${guest.name === null ? '' : ` (${guest.name})`}`
      : 'in the registered tags';
  const current = standing(lock.tag, onGuest && guest ? guest.tags : registeredTags, now);
  if (current.kind === 'unreadable') {
    return block(`the tag "${current.tag}" ${place} begins like a lock and cannot be read`, {
      mends: [{ where: 'here', commands: [`pbs-ctl lock break --cluster ${cluster} --yes`] }],
    });
  }
  if (current.kind === 'held' && current.expired) {
    return warn(
      `kept ${place}; left by "${current.lock.owner}" (run ${current.lock.run}), whose time is over`,
      {
        hint: 'Make sure that nothing runs there any more.',
        mends: [{ where: 'here', commands: [`pbs-ctl lock break --cluster ${cluster} --yes`] }],
      },
    );
  }
  const holder = current.kind === 'held' ? `held by "${current.lock.owner}" at the moment` : 'free';
  return pass(`kept ${place}; ${holder}`);
}
