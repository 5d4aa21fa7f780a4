import { ALLOW_TAGS, type TokenFacts } from '../api/account.js';
import { describeNeeds, grants, heldOn, type Need, neededOnPve, unmet } from '../api/privileges.js';
import type { ClusterConfig } from '../config/schema.js';
import type { PveAnswers } from '../host/answer-cache.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { block, orUnseen, pass, perCluster } from './check.js';
import { whetherItEnds, withEnding } from './token-ending.js';

interface Seen {
  readonly missing: readonly Need[];
  readonly asked: number;
  readonly token: string;
  readonly major: number;
  /** Nodes of the cluster that its list of resources leaves out. */
  readonly hidden: readonly string[];
  readonly facts: TokenFacts | null;
  /** Which tags the token may set, where the lock is one of a guest; null where it is not, or it may set any. */
  readonly tagAccess: string | null;
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
    const around = Promise.all([pve.clusterStatus(), pve.nodesOverview(), tagsFor(pve, config.lock.store)]);
    const [needs, held, major, facts, seenAround] = await Promise.all([
      asked,
      heldOn(pve, asked),
      version,
      orUnseen(pve.tokenFacts(config.token)),
      orUnseen(around),
    ]);
    const missing = unmet(needs, held);
    // A privilege that is missing is named; what is refused for it says no more.
    const [{ nodes }, listed, tagAccess] =
      seenAround ?? (missing.length > 0 ? [{ nodes: [] }, [], null] : await around);
    const seen = new Set(listed.map(({ name: node }) => node));
    const hidden = nodes.flatMap((node) => (seen.has(node.name) ? [] : [node.name]));
    const { token } = config;
    return { missing, asked: needs.length, token, major, hidden, facts, tagAccess };
  },
  judge: ({ missing, asked, token, major, hidden, facts, tagAccess }, { now, takes }, cluster) => {
    const where = `a node of ${cluster}`;
    const ending = whetherItEnds({ product: 'pve', token, where, facts }, now, takes);
    const mayNotTag = tagAccess !== null && tagAccess !== 'free';
    if (missing.length === 0 && !mayNotTag && hidden.length > 0)
      return withEnding(
        block(`node ${hidden.join(', ')} is in the cluster, and the list of its resources leaves it out`, {
          hint: `What runs there cannot be seen. Let ${token} see all of it (Sys.Audit on /nodes, handed down), and see whether the nodes are in step: pvecm status`,
        }),
        ending,
      );
    if (missing.length === 0 && !mayNotTag)
      return withEnding(pass(`all ${asked} privileges are held`), ending);
    const commands = [
      ...(missing.length > 0 ? grants('pve', token, missing, major) : []),
      ...(mayNotTag ? [ALLOW_TAGS] : []),
    ];
    const words = [
      ...(missing.length > 0 ? [describeNeeds(missing)] : []),
      ...(mayNotTag ? [onlyAdministratorsTag(tagAccess)] : []),
    ];
    const blocked = { ...block(words.join('; '), { commands }), fixes: [{ where, commands }] };
    return withEnding(blocked, ending);
  },
});

/** @param store of the lock: registered tags have a privilege of their own */
export async function tagsFor(
  pve: Pick<PveAnswers, 'clusterOptions' | 'permissions'>,
  store: ClusterConfig['lock']['store'],
): Promise<string | null> {
  if (store === 'registered-tag') return null;
  const [{ userTagAccess }, held] = await Promise.all([pve.clusterOptions(), pve.permissions('/')]);
  return held.has('Sys.Modify') ? null : userTagAccess;
}

export const onlyAdministratorsTag = (access: string) =>
  `only administrators may set tags in this cluster (user-tag-access is "${access}")`;

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
