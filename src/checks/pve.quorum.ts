import type { PveNode } from '../api/pve.js';
import { ALWAYS } from '../rules/rounds.js';
import { block, pass, perCluster, warn } from './check.js';

interface Seen {
  readonly quorate: boolean;
  readonly nodes: ReadonlyArray<Pick<PveNode, 'name' | 'online'>>;
  /** Node of the guest; null where it is in another cluster. */
  readonly guestNode: string | null;
}

/** Is every cluster quorate, with every node online? */
export const pveQuorum = perCluster({
  id: 'pve.quorum',
  rules: { rounds: ALWAYS },
  look: async ({ name, pve }, { target: { guest } }): Promise<Seen> => {
    const [{ quorate, nodes }, own] = await Promise.all([
      pve.clusterStatus(),
      guest?.cluster === name ? pve.findGuest(guest.vmid) : null,
    ]);
    return { quorate, nodes, guestNode: own?.node ?? null };
  },
  judge: ({ quorate, nodes, guestNode }, { target: { policy } }) => {
    if (!quorate) return block('the cluster has no quorum');
    if (nodes.length === 0) return block('the cluster reports no nodes');
    const offline = nodes.filter(({ online }) => !online).map(({ name }) => name);
    if (offline.length === 0) return pass(`quorate, ${nodes.length} of ${nodes.length} nodes online`);
    const line = `offline: ${offline.join(', ')}`;
    if (guestNode !== null && offline.includes(guestNode)) {
      return block(`${line}; the VM of this host is on ${guestNode}`, { offline });
    }
    return policy.offlineNodes === 'block' ? block(line, { offline }) : warn(line, { offline });
  },
});
