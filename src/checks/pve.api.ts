import { block, type Check, type Judgement, pass, warn, worstOf } from './check.js';

/** Does the API of every cluster answer, and is it a version that we know? */
export const pveApi: Check<ReadonlyArray<readonly [string, { version: string; major: number }]>> = {
  id: 'pve.api',
  lasting: true,
  look: ({ clusters }) =>
    Promise.all(clusters.map(async ({ name, pve }) => [name, await pve.version()] as const)),
  judge: (seen) => worstOf(seen.map(([name, { version }]): [string, Judgement] => [name, judge(version)])),
};

function judge(version: string): Judgement {
  const match = /^(\d+)(?:\.(\d+))?/.exec(version);
  if (!match) return block(`PVE names "${version}" as its version, which cannot be read`);
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)];
  if (major < 8) return block(`PVE ${version} is too old; 8.4 is the oldest that is known to work`);
  if (major === 8 && minor < 4)
    return warn(`PVE ${version} is older than 8.4, the oldest that is known to work`, { version });
  if (major > 9) return warn(`PVE ${version} is newer than any that is known to work`, { version });
  return pass(`PVE ${version}`, { version });
}
