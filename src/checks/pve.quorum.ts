import type { PveNode } from '../api/pve.js';
import { ALWAYS } from '../rules/rounds.js';
import { block, pass, perCluster, warn } from './check.js';

interface Seen {
  readonly quorate: boolean;
  readonly nodes: ReadonlyArray<Pick<PveNode, 'name' | 'online'>>;
  readonly counted?: number | null;
  /** Node of the guest; null where it is in another cluster. */
  readonly guestNode: string | null;
}

/** Is every cluster quorate, with every node online? */
export const pveQuorum = perCluster({
  id: 'pve.quorum',
  rules: { rounds: ALWAYS },
  look: async ({ name, pve }, { target: { guest } }): Promise<Seen> => {
    const [{ quorate, nodes, counted }, own] = await Promise.all([
      pve.clusterStatus(),
      guest?.cluster === name ? pve.findGuest(guest.vmid) : null,
    ]);
    return { quorate, nodes, counted, guestNode: own?.node ?? null };
  },
  judge: ({ quorate, nodes, counted = null, guestNode }, { target: { policy } }) => {
    if (!quorate) return block('the cluster has no quorum');
    if (nodes.length === 0) return block('the cluster reports no nodes');
    if (counted !== null && counted !== nodes.length)
      return block(`the cluster counts ${counted} nodes and names ${nodes.length}`);
    if (guestNode !== null && !nodes.some(({ name }) => name === guestNode))
      return block(`the VM of this host is on ${guestNode}, which is not among the nodes of the cluster`);
    const offline = nodes.filter(({ online }) => !online).map(({ name }) => name);
    if (offline.length === 0) return pass(`quorate, ${nodes.length} of ${nodes.length} nodes online`);
    const line = `offline: ${offline.join(', ')}`;
    if (guestNode !== null && offline.includes(guestNode)) {
      return block(`${line}; the VM of this host is on ${guestNode}`, { offline });
    }
    return policy.offlineNodes === 'block' ? block(line, { offline }) : warn(line, { offline });
  },
});
