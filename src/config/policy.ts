import { z } from 'zod';
import { duration, positiveDuration, size } from './fields.js';

const timeOfDay = z.string().regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "22:00"');
const day = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'expected a day such as "2026-12-23"');
const timezone = z.string().refine(isTimezone, 'expected an IANA time zone such as "Europe/Vienna"');

const maintenanceWindow = z.strictObject({
  days: z.array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun'])).min(1),
  from: timeOfDay,
  to: timeOfDay,
  timezone: timezone.optional().describe('IANA time zone; default: that of this machine'),
});
export type MaintenanceWindow = z.output<typeof maintenanceWindow>;

const blackout = z
  .strictObject({ from: day, to: day, reason: z.string().optional() })
  .refine((value) => value.from <= value.to, 'a blackout must not end before it begins');

const policyFields = {
  reboot: z.enum(['always', 'after-upgrade', 'when-required', 'never']),
  rebootTimeout: positiveDuration,
  upgradeTimeout: positiveDuration,
  drainTimeout: duration.describe('How long to wait for running tasks to end before postponing'),
  maintenanceDuration: duration.describe(
    'How long a run is expected to take: no scheduled job may start within it',
  ),
  backupMargin: duration.describe('Clearance after it'),
  pbsJobs: z
    .enum(['block', 'warn'])
    .describe('Scheduled verify, sync, prune, garbage collection and tape jobs'),
  fence: z.enum(['read-only', 'none']).describe('Maintenance mode of the datastores during the run'),
  cleanup: z.boolean().describe('autoremove and autoclean after the upgrade'),
  repairDpkg: z.boolean().describe('Run dpkg --configure -a first where an earlier upgrade was interrupted'),
  minRootFree: size,
  protectedPackages: z.array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/, 'expected a Debian package name')),
  onExpiredLock: z.enum(['postpone', 'take-over']),
  maxClockSkew: duration,
  maintenanceWindow: maintenanceWindow.nullable(),
  blackouts: z.array(blackout).describe('Whole days, both included, on which nothing is patched'),
  stableFor: duration.describe('How long everything must stay healthy before verify passes'),
  minRebootInterval: duration,
  offlineNodes: z.enum(['block', 'warn']),
  escalateAfter: duration.describe('Postponed for so long in a row: Slack is told in another tone'),
  pollInterval: positiveDuration,
  requestTimeout: positiveDuration,
};
export const policyOverrides = z.strictObject(policyFields).partial();
export const policy = z.strictObject({
  reboot: policyFields.reboot.default('always'),
  rebootTimeout: policyFields.rebootTimeout.prefault('20m'),
  upgradeTimeout: policyFields.upgradeTimeout.prefault('60m'),
  drainTimeout: policyFields.drainTimeout.prefault('0s'),
  maintenanceDuration: policyFields.maintenanceDuration.prefault('30m'),
  backupMargin: policyFields.backupMargin.prefault('15m'),
  pbsJobs: policyFields.pbsJobs.default('block'),
  fence: policyFields.fence.default('read-only'),
  cleanup: policyFields.cleanup.default(true),
  repairDpkg: policyFields.repairDpkg.default(false),
  minRootFree: policyFields.minRootFree.prefault('2GiB'),
  protectedPackages: policyFields.protectedPackages.default([
    'proxmox-backup-server',
    'proxmox-backup',
    'qemu-guest-agent',
  ]),
  onExpiredLock: policyFields.onExpiredLock.default('postpone'),
  maxClockSkew: policyFields.maxClockSkew.prefault('30s'),
  maintenanceWindow: policyFields.maintenanceWindow.default(null),
  blackouts: policyFields.blackouts.default([]),
  stableFor: policyFields.stableFor.prefault('10s'),
  minRebootInterval: policyFields.minRebootInterval.prefault('1h'),
  offlineNodes: policyFields.offlineNodes.default('block'),
  escalateAfter: policyFields.escalateAfter.prefault('7d'),
  pollInterval: policyFields.pollInterval.prefault('2s'),
  requestTimeout: policyFields.requestTimeout.prefault('15s'),
});
/** The policy in force for a host. Durations in milliseconds, sizes in bytes. */
export type Policy = z.output<typeof policy>;

function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
