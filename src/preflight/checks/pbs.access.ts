import { block, type Check, pass } from '../check.js';
import { describeNeed, heldOn, type Need, neededOnPbs, unmet } from '../privileges.js';

/** Has the PBS token every privilege that a run needs? */
export const pbsAccess: Check<{ missing: readonly Need[]; asked: number }> = {
  id: 'pbs.access',
  async look({ pbs, target }) {
    const datastores = (await pbs.datastores()).map(({ name }) => name);
    const needs = neededOnPbs(target.config.token, datastores, {
      fence: target.policy.fence !== 'none',
      unit: target.upgradeUnit,
    });
    return { missing: unmet(needs, await heldOn(pbs, needs)), asked: needs.length };
  },
  judge: ({ missing, asked }) =>
    missing.length === 0
      ? pass(`all ${asked} privileges are held`)
      : block(missing.map(describeNeed).join('; '), {
          commands: [...new Set(missing.map(({ grant }) => grant))],
        }),
};
