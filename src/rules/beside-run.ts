import type { Policy } from '../config/schema.js';
import type { Phase } from '../journal/document.js';
import type { RecoverFlag } from './steps.js';

type Limits = Pick<
  Policy,
  'upgradeTimeout' | 'rebootTimeout' | 'drainTimeout' | 'stableFor' | 'requestTimeout'
>;

/** Flags that do not disturb a run which only looks, and which it takes up: a mount is there, a service runs. */
const SAFE: readonly RecoverFlag[] = ['mount', 'restart-services'];

/** In these a run only waits for its host, or verifies it. */
const LOOKS: readonly Phase[] = ['wait', 'verify'];

/** Whether all of this may be done while another process is in that phase of a run. Pure. */
export const mayActBeside = (flags: readonly RecoverFlag[], phase: Phase | null): boolean =>
  phase !== null && LOOKS.includes(phase) && flags.every((flag) => SAFE.includes(flag));

/** How long a phase lasts at most, milliseconds. Pure. */
export function longestOf(phase: Phase, policy: Limits): number {
  const { upgradeTimeout, rebootTimeout, drainTimeout, stableFor, requestTimeout } = policy;
  switch (phase) {
    case 'drain':
      return Math.max(drainTimeout, 2 * requestTimeout);
    case 'refresh':
    case 'upgrade':
      return upgradeTimeout;
    case 'reboot':
    case 'wait':
      return rebootTimeout;
    case 'verify':
      return Math.max(rebootTimeout / 4, 2 * stableFor) + stableFor;
    default:
      return 4 * requestTimeout;
  }
}
