import { formatDuration } from '../config/quantity.js';
import { isoFromSeconds } from '../moment.js';
import { ALSO_DRAINING } from '../rules/rounds.js';
import { nextAllowed } from '../schedule/window.js';
import { block, check, pass, skip } from './check.js';

/** Is the maintenance window open for a whole run, and is the last boot long enough ago? */
export const policyWindow = check({
  id: 'policy.window',
  rules: { rounds: ALSO_DRAINING, softenedBy: 'ignore-window' },
  look: async ({ pbs }) => ({ uptimeSeconds: (await pbs.nodeStatus()).uptimeSeconds }),
  judge({ uptimeSeconds }, { target: { policy }, now, takes, round, upgradeBegun }) {
    const young = policy.minRebootInterval / 1000 - uptimeSeconds;
    // A run that has begun to upgrade goes on: only its reboot is held back.
    const reboots = round === 'reboot' || !upgradeBegun;
    if (policy.reboot === 'always' && young > 0 && reboots) {
      return block(
        `booted ${formatDuration(uptimeSeconds * 1000)} ago, less than minRebootInterval`,
        { bootedAt: now - uptimeSeconds },
        now + Math.ceil(young),
      );
    }
    if (!policy.maintenanceWindow && policy.blackouts.length === 0)
      return skip('no window or blackout is set');
    const free = nextAllowed(policy, now, takes);
    if (!free) return block('no window within a year has room for a whole run');
    if (free.from <= now) return pass(`open until ${isoFromSeconds(free.to)}`);
    return block(`closed; a whole run fits from ${isoFromSeconds(free.from)} on`, {}, free.from);
  },
});
