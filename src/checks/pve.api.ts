import { A_MINUTE, ALWAYS } from '../rules/rounds.js';
import { block, type Judgement, pass, perCluster, warn } from './check.js';

/** Does the API of every cluster answer, and is its version supported? */
export const pveApi = perCluster({
  id: 'pve.api',
  rules: { rounds: ALWAYS, lasting: A_MINUTE },
  look: ({ pve }) => pve.version(),
  judge,
});

function judge({ version }: { readonly version: string }): Judgement {
  const match = /^(\d+)(?:\.(\d+))?/.exec(version);
  if (!match) return block(`PVE reports the version "${version}", which cannot be read`);
  const [major, minor] = [Number(match[1]), Number(match[2] ?? 0)];
  if (major < 8) return block(`PVE ${version} is too old; 8.4 is the oldest supported version`);
  if (major === 8 && minor < 4)
    return warn(`PVE ${version} is older than 8.4, the oldest supported version`, { version });
  if (major > 9) return warn(`PVE ${version} is newer than any tested version`, { version });
  return pass(`PVE ${version}`, { version });
}
