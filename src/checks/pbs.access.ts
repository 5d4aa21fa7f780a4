import { describeNeeds, grants, heldOn, type Need, neededOnPbs, unmet } from '../api/privileges.js';
import { block, type Check, pass, warn } from './check.js';

/** Has the PBS token every privilege that a run needs? */
export const pbsAccess: Check<{ missing: readonly Need[]; asked: number }> = {
  id: 'pbs.access',
  lasting: true,
  async look({ pbs, target }) {
    const asked = pbs.datastores().then((datastores) =>
      neededOnPbs(
        datastores.map(({ name }) => name),
        { fence: target.policy.fence !== 'none', unit: target.upgradeUnit },
      ),
    );
    const [needs, held] = await Promise.all([asked, heldOn(pbs, asked)]);
    return { missing: unmet(needs, held), asked: needs.length };
  },
  judge({ missing, asked }, { target }) {
    if (missing.length === 0) return pass(`all ${asked} privileges are held`);
    const commands = grants('pbs', target.config.token, missing);
    const fixes = [{ where: target.host, commands }];
    const detail = { commands, hint: 'A grant counts after up to 5 seconds.' };
    const words = describeNeeds(missing);
    return missing.every(({ onlySees }) => onlySees)
      ? { ...warn(`${words}. No run is refused, but some jobs are not seen`, detail), fixes }
      : { ...block(words, detail), fixes };
  },
};
