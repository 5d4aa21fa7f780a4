import type { PveNode } from '../../api/pve.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from '../check.js';

interface Seen {
  readonly quorate: boolean;
  readonly nodes: readonly PveNode[];
  /** Node of the guest; null where it is in another cluster. */
  readonly guestNode: string | null;
}

/** Is every cluster quorate, with every node online? */
export const pveQuorum: Check<ReadonlyArray<readonly [string, Seen]>> = {
  id: 'pve.quorum',
  look: ({ clusters, target }) =>
    Promise.all(
      clusters.map(async ({ name, pve }) => {
        const [status, guest] = await Promise.all([
          pve.clusterStatus(),
          target.guest?.cluster === name ? pve.findGuest(target.guest.vmid) : null,
        ]);
        return [name, { ...status, guestNode: guest?.node ?? null }] as const;
      }),
    ),
  judge: (seen, { target: { policy } }) =>
    worstOf(
      seen.map(([name, { quorate, nodes, guestNode }]): [string, Judgement] => {
        if (!quorate) return [name, block('the cluster has no quorum')];
        const offline = nodes.filter(({ online }) => !online).map((node) => node.name);
        if (offline.length === 0)
          return [name, pass(`quorate, ${nodes.length} of ${nodes.length} nodes online`)];
        const line = `offline: ${offline.join(', ')}`;
        const strict = policy.offlineNodes === 'block' || (guestNode !== null && offline.includes(guestNode));
        return [name, strict ? block(line, { offline }) : warn(line, { offline })];
      }),
    ),
};
