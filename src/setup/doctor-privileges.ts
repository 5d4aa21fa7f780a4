import type { Commands } from '../api/grants.js';
import type { Need } from '../api/needed-privileges.js';
import { about, type Diagnosis } from './diagnosis.js';
import { describeExcess, type Excess } from './excess.js';

/**
 * @param lacking of the needs
 * @param mends what grants all that is needed
 */
export function judgePrivileges(
  subject: string,
  asked: number,
  lacking: readonly Need[],
  mends: readonly Commands[],
): Diagnosis {
  const { pass, warn, block } = about(subject, 'privileges');
  const unseen = lacking.filter(({ onlySees }) => onlySees);
  const missing = lacking.filter(({ onlySees }) => !onlySees);
  const detail = { missing: lacking.map(({ path, anyOf }) => ({ path, anyOf })) };
  if (missing.length > 0) {
    const reasons = new Map<string, string[]>();
    for (const { anyOf, path, why } of missing) {
      const line = `${anyOf.join(' or ')} on ${path}`;
      reasons.set(line, [...(reasons.get(line) ?? []), why]);
    }
    const lines = [...reasons].map(([line, whys]) => `${line} (to ${whys.join(', ')})`);
    return block(`missing: ${lines.join('; ')}`, { mends, detail });
  }
  if (unseen.length > 0) {
    const lines = unseen.map(({ anyOf, path, why }) => `${anyOf.join(' or ')} on ${path} (to ${why})`);
    return warn(`no run is refused, but without these some jobs are not seen: ${lines.join('; ')}`, {
      mends,
      detail,
    });
  }
  return pass(`all ${asked} that a run needs are held`, { detail });
}

/** Does the token have more than it needs? */
export function judgePower(
  subject: string,
  excess: readonly Excess[],
  separated: boolean,
  mends: readonly Commands[],
): Diagnosis {
  const { pass, warn } = about(subject, 'power');
  if (excess.length === 0) return pass('the token has no more than it needs');
  const shared = separated ? '' : ' (it has no privileges of its own and may do all that its user may)';
  return warn(`the token may do more than a run needs${shared}: ${excess.map(describeExcess).join('; ')}`, {
    mends,
    detail: { excess, separated },
  });
}
