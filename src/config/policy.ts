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

export const policy = z.strictObject({
  reboot: z.enum(['always', 'after-upgrade', 'when-required', 'never']).default('always'),
  rebootTimeout: positiveDuration.prefault('20m'),
  upgradeTimeout: positiveDuration.prefault('60m'),
  drainTimeout: duration
    .describe('How long to wait for running tasks to end before postponing')
    .prefault('0s'),
  maintenanceDuration: duration
    .describe('How long a run is expected to take: no scheduled job may start within it')
    .prefault('30m'),
  backupMargin: duration.describe('Clearance after it').prefault('15m'),
  pbsJobs: z
    .enum(['block', 'warn'])
    .describe('Scheduled verify, sync, prune, garbage collection and tape jobs')
    .default('block'),
  fence: z
    .enum(['read-only', 'none'])
    .describe('Maintenance mode of the datastores during the run')
    .default('read-only'),
  cleanup: z.boolean().describe('autoremove and autoclean after the upgrade').default(true),
  repairDpkg: z
    .boolean()
    .describe('Run dpkg --configure -a first where an earlier upgrade was interrupted')
    .default(false),
  minRootFree: size.prefault('2GiB'),
  protectedPackages: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9+.-]*$/, 'expected a Debian package name'))
    .default(['proxmox-backup-server', 'proxmox-backup', 'qemu-guest-agent']),
  onExpiredLock: z.enum(['postpone', 'take-over']).default('postpone'),
  maxClockSkew: duration.prefault('30s'),
  maintenanceWindow: maintenanceWindow.nullable().default(null),
  blackouts: z.array(blackout).describe('Whole days, both included, on which nothing is patched').default([]),
  stableFor: duration.describe('How long everything must stay healthy before verify passes').prefault('10s'),
  minRebootInterval: duration.prefault('1h'),
  offlineNodes: z.enum(['block', 'warn']).default('block'),
  mixedVersions: z
    .enum(['block', 'warn'])
    .describe('Nodes of a PVE cluster whose pve-manager differs in its major version')
    .default('block'),
  pollInterval: positiveDuration.prefault('2s'),
  requestTimeout: positiveDuration.prefault('15s'),
});
/** The policy in force for a host. Durations in milliseconds, sizes in bytes. */
export type Policy = z.output<typeof policy>;

type Field = keyof typeof policy.shape;
/** The same keys, none of them needed: what a host has of its own. */
export const policyOverrides = z.strictObject(
  Object.fromEntries(
    Object.entries(policy.shape).map(([name, field]) => [name, field.unwrap().optional()]),
  ) as { [Name in Field]: z.ZodOptional<ReturnType<(typeof policy.shape)[Name]['unwrap']>> },
);

function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
