import type { PveNode } from '../api/pve.js';
import { block, type Check, type Judgement, pass, warn, worstOf } from './check.js';

interface Seen {
  readonly quorate: boolean;
  readonly nodes: ReadonlyArray<Pick<PveNode, 'name' | 'online'>>;
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
    worstOf(seen.map(([name, part]): [string, Judgement] => [name, judge(part, policy.offlineNodes)])),
};

function judge({ quorate, nodes, guestNode }: Seen, offlineNodes: 'block' | 'warn'): Judgement {
  if (!quorate) return block('the cluster has no quorum');
  if (nodes.length === 0) return block('the cluster names no node');
  const offline = nodes.filter(({ online }) => !online).map(({ name }) => name);
  if (offline.length === 0) return pass(`quorate, ${nodes.length} of ${nodes.length} nodes online`);
  const line = `offline: ${offline.join(', ')}`;
  if (guestNode !== null && offline.includes(guestNode)) {
    return block(`${line}; the VM of this host is on ${guestNode}`, { offline });
  }
  return offlineNodes === 'block' ? block(line, { offline }) : warn(line, { offline });
}
