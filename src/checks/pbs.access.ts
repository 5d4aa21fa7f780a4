import { describeNeeds, grants, heldOn, type Need, neededOnPbs, unmet } from '../api/privileges.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { datastoresHere } from '../schedule/whose-storage.js';
import { block, check, pass, warn } from './check.js';

/**
 * Has the PBS token every privilege that a run needs? Also on the datastores that storages of PVE name and PBS does not
 * list: the token may not see them.
 */
export const pbsAccess = check({
  id: 'pbs.access',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  async look(answers): Promise<{ missing: readonly Need[]; asked: number }> {
    const { pbs, target, clusters } = answers;
    const named = Promise.all(clusters.map((cluster) => datastoresHere(answers, cluster)));
    const asked = Promise.all([pbs.datastores(), named]).then(([datastores, others]) =>
      neededOnPbs([...new Set([...datastores.map(({ name }) => name), ...others.flat()])], {
        fence: target.policy.fence !== 'none',
        unit: target.upgradeUnit,
      }),
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
});
