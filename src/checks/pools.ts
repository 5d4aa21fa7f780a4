import { mountOf } from '../guest/mounts.js';
import type { Survey } from '../guest/survey.js';
import type { Answers } from '../host/answers.js';
import type { Pool } from '../journal/records.js';

/** The ZFS pools on which these folders lie, as PBS tells of them; none where it cannot tell. */
export async function poolsUnder(
  { pbs }: Pick<Answers, 'pbs'>,
  { mounts }: Pick<Survey, 'mounts'>,
  paths: Iterable<string>,
): Promise<Pool[]> {
  const names = new Set<string>();
  for (const path of paths) {
    const { target, source } = mountOf(path, mounts);
    const isZfs = mounts.some((mount) => mount.target === target && mount.fstype === 'zfs');
    if (isZfs) names.add(source.replace(/^\//, '').split('/')[0] ?? '');
  }
  if (names.size === 0) return [];
  const all = await pbs.zfsPools().catch(() => []);
  return all.filter(({ name }) => names.has(name));
}
