import { block, type Judgement, pass, perCluster, warn } from './check.js';

/** Does the API of every cluster answer, and is it a version that we know? */
export const pveApi = perCluster({
  id: 'pve.api',
  lasting: true,
  look: ({ pve }) => pve.version(),
  judge,
});

function judge({ version }: { readonly version: string }): Judgement {
  const match = /^(\d+)(?:\.(\d+))?/.exec(version);
  if (!match) return block(`PVE names "${version}" as its version, which cannot be read`);
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)];
  if (major < 8) return block(`PVE ${version} is too old; 8.4 is the oldest that is known to work`);
  if (major === 8 && minor < 4)
    return warn(`PVE ${version} is older than 8.4, the oldest that is known to work`, { version });
  if (major > 9) return warn(`PVE ${version} is newer than any that is known to work`, { version });
  return pass(`PVE ${version}`, { version });
}
