import type { Answers, ClusterAnswers } from '../host/answers.js';
import { howToTell, storagesSeen, type Whose } from '../schedule/whose-storage.js';
import { about, type SetupFinding } from './finding.js';

/** Whose datastore each storage of a cluster is: what decides which backup jobs count. */
export async function examineStorages(
  subject: string,
  answers: Answers,
  cluster: ClusterAnswers,
): Promise<SetupFinding> {
  const { pass, warn, block } = about(subject, 'storages');
  const { host } = answers.target;
  const { name } = cluster;
  const { whose, disabled, misnamed, unseen } = await storagesSeen(answers, cluster);
  const shown = [...whose].filter(
    ([storage, { why }]) => !disabled.has(storage) && !why.startsWith('of type '),
  );
  const table = shown.map(([storage, found]) => `${storage}: ${owner(found, host)}`).join('; ');
  const detail = { cluster: name, storages: Object.fromEntries(shown) };
  const summary = `storages of ${name}: ${table || 'none of type pbs'}`;
  if (misnamed.length > 0) {
    return block(`${summary}; otherStorages names ${misnamed.join(', ')}, which is ${host}`, {
      detail,
      hint: `Remove it from clusters.${name}.otherStorages in the config.`,
    });
  }
  const unknown = shown.some(([, { is }]) => is === 'unknown');
  if (unseen !== null) return warn(`${summary}; ${unseen}`, { detail, hint: howToTell(host, name) });
  if (unknown)
    return warn(`${summary}. Unknown ones count as ${host}`, { detail, hint: howToTell(host, name) });
  return pass(summary, { detail });
}

const owner = ({ is, why, host: other }: Whose, host: string): string =>
  is === 'here'
    ? `${host}, by ${why}`
    : is === 'another-host'
      ? `${other}`
      : is === 'elsewhere'
        ? `elsewhere, ${why}`
        : `unknown (${why})`;
