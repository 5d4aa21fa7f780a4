import { block, type Check, type Judgement, pass, worstOf } from '../check.js';

/** Does the API of every cluster answer, and is it a version that we know? */
export const pveApi: Check<ReadonlyArray<readonly [string, { version: string; major: number }]>> = {
  id: 'pve.api',
  look: ({ clusters }) =>
    Promise.all(clusters.map(async ({ name, pve }) => [name, await pve.version()] as const)),
  judge: (seen) => worstOf(seen.map(([name, version]): [string, Judgement] => [name, judge(version)])),
};

function judge({ version, major }: { version: string; major: number }): Judgement {
  return major >= 8
    ? pass(`PVE ${version}`, { version })
    : block(`PVE ${version} is too old; 8.4 is the oldest that is known to work`);
}
