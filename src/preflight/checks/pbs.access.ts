import { block, type Check, pass, warn } from '../check.js';
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
  judge({ missing, asked }) {
    if (missing.length === 0) return pass(`all ${asked} privileges are held`);
    const say = missing.every(({ onlySees }) => onlySees) ? warn : block;
    return say(missing.map(describeNeed).join('; '), {
      commands: [...new Set(missing.map(({ grant }) => grant))],
    });
  },
};
