import type { TokenFacts } from '../api/account.js';
import { describeNeeds, grants, heldOn, type Need, neededOnPbs, unmet } from '../api/privileges.js';
import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { datastoresHere } from '../schedule/whose-storage.js';
import { block, check, orUnseen, pass, warn } from './check.js';
import { whetherItEnds, withEnding } from './token-ending.js';

/**
 * Has the PBS token every privilege that a run needs? Also on the datastores that storages of PVE name and PBS does not
 * list: the token may not see them.
 */
export const pbsAccess = check({
  id: 'pbs.access',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  async look(answers): Promise<{ missing: readonly Need[]; asked: number; facts: TokenFacts | null }> {
    const { pbs, target, clusters } = answers;
    const named = Promise.all(clusters.map((cluster) => datastoresHere(answers, cluster)));
    const asked = Promise.all([pbs.datastores(), named]).then(([datastores, others]) =>
      neededOnPbs([...new Set([...datastores.map(({ name }) => name), ...others.flat()])], {
        fence: target.policy.fence !== 'none',
        unit: target.upgradeUnit,
      }),
    );
    const [needs, held, facts] = await Promise.all([
      asked,
      heldOn(pbs, asked),
      orUnseen(pbs.tokenFacts(target.config.token)),
    ]);
    return { missing: unmet(needs, held), asked: needs.length, facts };
  },
  judge({ missing, asked, facts }, { target, now, takes }) {
    const { token } = target.config;
    const ending = whetherItEnds({ product: 'pbs', token, where: target.host, facts }, now, takes);
    if (missing.length === 0) return withEnding(pass(`all ${asked} privileges are held`), ending);
    const commands = grants('pbs', token, missing);
    const fixes = [{ where: target.host, commands }];
    const detail = { commands, hint: 'A grant counts after up to 5 seconds.' };
    const words = describeNeeds(missing);
    const lacking = missing.every(({ onlySees }) => onlySees)
      ? { ...warn(`${words}. No run is refused, but some jobs are not seen`, detail), fixes }
      : { ...block(words, detail), fixes };
    return withEnding(lacking, ending);
  },
});
