import { formatDuration } from '../config/quantity.js';
import { block, type Check, pass } from './check.js';

/** Do the proxy and the privileged daemon behind it answer, and is it a version that we know? */
export const pbsApi: Check<{ version: string; uptimeSeconds: number }> = {
  id: 'pbs.api',
  async look({ pbs }) {
    const [{ version, release }, { uptimeSeconds }] = await Promise.all([
      pbs.version(),
      pbs.nodeStatus(),
      pbs.daemonAnswers(),
    ]);
    return { version: `${version}.${release}`, uptimeSeconds };
  },
  judge({ version, uptimeSeconds }) {
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 3 || (major === 3 && minor < 2))
      return block(`PBS ${version} is too old; 3.2 is the oldest that is known to work`);
    return pass(`PBS ${version}, up ${formatDuration(uptimeSeconds * 1000)}`, { version });
  },
};
