import { describeNeeds, grants, heldOn, type Need, neededOnPve, unmet } from '../api/privileges.js';
import { block, pass, perCluster } from './check.js';

interface Seen {
  readonly missing: readonly Need[];
  readonly asked: number;
  readonly token: string;
  readonly major: number;
}

/** Has the PVE token every privilege that a run needs, in every cluster? */
export const pveAccess = perCluster<Seen>({
  id: 'pve.access',
  lasting: true,
  look: async ({ name, pve, config, lockVmid }, { target }) => {
    const asked = pve.version().then(({ major }) =>
      neededOnPve(major, {
        guests: target.guest?.cluster === name ? [target.guest.vmid] : [],
        carrier: lockVmid,
        registeredTags: config.lock.store === 'registered-tag',
      }),
    );
    const [needs, held, { major }] = await Promise.all([asked, heldOn(pve, asked), pve.version()]);
    return { missing: unmet(needs, held), asked: needs.length, token: config.token, major };
  },
  judge: ({ missing, asked, token, major }, _, cluster) => {
    if (missing.length === 0) return pass(`all ${asked} privileges are held`);
    const commands = grants('pve', token, missing, major);
    const fixes = [{ where: `a node of ${cluster}`, commands }];
    return { ...block(describeNeeds(missing), { commands }), fixes };
  },
});
