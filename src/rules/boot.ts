import type { Boot } from '../journal/records.js';

/** What the host says of its boot right now; a part is null where that way did not answer. */
export interface ObservedBoot {
  readonly api: { readonly uptimeSeconds: number; readonly epochSeconds: number } | null;
  readonly bootId: string | null;
}

/** Clocks are stepped at boot; a boot time that moved by less than this proves nothing. Seconds. */
const TOLERANCE = 30;
/** Uptime and elapsed time are read at slightly different moments. Seconds. */
const ROUNDING = 2;

export type RebootVerdict = 'rebooted' | 'not-rebooted' | 'unknown';

/**
 * Whether the host has booted since a reboot was requested. A changed boot id of the kernel proves it,
 * the same one disproves it. Without one, an uptime shorter than before the request proves it; otherwise the
 * server's clock less its uptime has to lie clearly after the old boot, with an uptime shorter than the time
 * since the request. An API that answers proves nothing.
 */
export function rebootVerdict(
  before: Boot,
  secondsSinceRequest: number,
  { api, bootId }: ObservedBoot,
): RebootVerdict {
  if (before.bootId !== null && bootId !== null)
    return bootId === before.bootId ? 'not-rebooted' : 'rebooted';
  if (!api) return 'unknown';
  // Within one boot it only grows: the one proof that rests on no clock.
  if (before.uptimeSeconds !== undefined && api.uptimeSeconds < before.uptimeSeconds) return 'rebooted';
  const newer = api.epochSeconds - api.uptimeSeconds > before.bootTime + TOLERANCE;
  const younger = api.uptimeSeconds < secondsSinceRequest + ROUNDING;
  if (newer && younger) return 'rebooted';
  return newer === younger ? 'not-rebooted' : 'unknown';
}
