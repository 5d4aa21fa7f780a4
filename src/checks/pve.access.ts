import { describeNeed, heldOn, neededOnPve, unmet } from '../api/needed-privileges.js';
import { block, pass, perCluster } from './check.js';

/** Has the PVE token every privilege that a run needs, in every cluster? */
export const pveAccess = perCluster({
  id: 'pve.access',
  lasting: true,
  look: async ({ name, pve, config, lockVmid }, { target }) => {
    const asked = pve.version().then(({ major }) =>
      neededOnPve(config.token, major, {
        // Also where a service upgrades: mounts and boots are looked at from inside the guest.
        guest: target.guest?.cluster === name ? target.guest.vmid : null,
        carrier: lockVmid,
        registeredTags: config.lock.store === 'registered-tag',
      }),
    );
    const [needs, held] = await Promise.all([asked, heldOn(pve, asked)]);
    return { missing: unmet(needs, held), asked: needs.length };
  },
  judge: ({ missing, asked }, _, cluster) => {
    if (missing.length === 0) return pass(`all ${asked} privileges are held`);
    const commands = [...new Set(missing.map(({ grant }) => grant))];
    const fixes = [{ where: `a node of ${cluster}`, commands }];
    return { ...block(missing.map(describeNeed).join('; '), { commands }), fixes };
  },
});
