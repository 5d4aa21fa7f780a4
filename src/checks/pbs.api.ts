import { DaemonDown } from '../api/failure.js';
import { formatDuration } from '../config/quantity.js';
import { type ErrorDocument, errorDocument } from '../fault.js';
import { ALWAYS } from '../rules/rounds.js';
import { block, check, pass } from './check.js';

/** Do the proxy and the privileged daemon behind it answer, and is its version supported? */
export const pbsApi = check({
  id: 'pbs.api',
  rules: { rounds: ALWAYS },
  async look({ pbs }): Promise<{ version: string; uptimeSeconds: number } | { down: ErrorDocument }> {
    try {
      const [{ version, release }, { uptimeSeconds }] = await Promise.all([
        pbs.version(),
        pbs.nodeStatus(),
        pbs.daemonAnswers(),
      ]);
      return { version: `${version}.${release}`, uptimeSeconds };
    } catch (error) {
      if (error instanceof DaemonDown) return { down: errorDocument(error) };
      throw error;
    }
  },
  judge(seen, { target }) {
    if ('down' in seen) {
      const { code, message, hint } = seen.down;
      const commands = ['systemctl restart proxmox-backup.service', 'journalctl -u proxmox-backup -n 50'];
      return { ...block(message, { error: code, hint }), fixes: [{ where: target.host, commands }] };
    }
    const { version, uptimeSeconds } = seen;
    const [major = 0, minor = 0] = version.split('.').map(Number);
    if (major < 3 || (major === 3 && minor < 2))
      return block(`PBS ${version} is too old; 3.2 is the oldest supported version`);
    return pass(`PBS ${version}, up ${formatDuration(uptimeSeconds * 1000)}`, { version });
  },
});
