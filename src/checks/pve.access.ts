import { describeNeeds, grants, heldOn, type Need, neededOnPve, unmet } from '../api/privileges.js';
import type { PveAnswers } from '../host/answer-cache.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { block, pass, perCluster } from './check.js';

interface Seen {
  readonly missing: readonly Need[];
  readonly asked: number;
  readonly token: string;
  readonly major: number;
  /** Nodes of the cluster that its list of resources leaves out. */
  readonly hidden: readonly string[];
}

/** Has the PVE token every privilege that a run needs, in every cluster? */
export const pveAccess = perCluster({
  id: 'pve.access',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  look: async ({ name, pve, config, lockVmid }, { target }): Promise<Seen> => {
    const guest = target.guest?.cluster === name ? target.guest.vmid : null;
    const version = majorFor(pve, guest);
    const asked = version.then((major) =>
      neededOnPve(major, {
        guests: guest === null ? [] : [guest],
        carrier: lockVmid,
        registeredTags: config.lock.store === 'registered-tag',
      }),
    );
    const [needs, held, major, { nodes }, listed] = await Promise.all([
      asked,
      heldOn(pve, asked),
      version,
      pve.clusterStatus(),
      pve.nodesOverview(),
    ]);
    const seen = new Set(listed.map(({ name: node }) => node));
    const hidden = nodes.flatMap((node) => (seen.has(node.name) ? [] : [node.name]));
    return { missing: unmet(needs, held), asked: needs.length, token: config.token, major, hidden };
  },
  judge: ({ missing, asked, token, major, hidden }, _, cluster) => {
    if (missing.length === 0 && hidden.length > 0)
      return block(
        `node ${hidden.join(', ')} is in the cluster, and the list of its resources leaves it out`,
        {
          hint: `What runs there cannot be seen. Let ${token} see all of it (Sys.Audit on /nodes, handed down), and see whether the nodes are in step: pvecm status`,
        },
      );
    if (missing.length === 0) return pass(`all ${asked} privileges are held`);
    const commands = grants('pve', token, missing, major);
    const fixes = [{ where: `a node of ${cluster}`, commands }];
    return { ...block(describeNeeds(missing), { commands }), fixes };
  },
});

/**
 * The major version that decides what the token needs: while a cluster is being upgraded its nodes differ, and
 * what is asked about a VM is answered by the node that carries it.
 */
export async function majorFor(pve: PveAnswers, vmid: number | null): Promise<number> {
  const guest = vmid === null ? null : await pve.findGuest(vmid);
  const carrier = guest ? await pve.nodeStatus(guest.node).catch(() => null) : null;
  const major = Number.parseInt(carrier?.version ?? '', 10);
  return Number.isNaN(major) ? (await pve.version()).major : major;
}
