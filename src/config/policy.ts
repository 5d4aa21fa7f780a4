import { z } from 'zod';
import { duration, positiveDuration, size } from './fields.js';

const timeOfDay = z
  .string()
  .regex(/^([01]\d|2[0-3]):[0-5]\d$/, 'expected a time of day such as "22:00"')
  .meta({ title: 'time of day' });
const day = z
  .string()
  .regex(/^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$/, 'expected a day such as "2026-12-23"')
  .meta({ title: 'date' });
const timezone = z
  .string()
  .refine(isTimezone, 'expected an IANA time zone such as "Europe/Vienna"')
  .meta({ title: 'time zone' });

const maintenanceWindow = z.strictObject({
  days: z
    .array(z.enum(['mon', 'tue', 'wed', 'thu', 'fri', 'sat', 'sun']))
    .min(1)
    .describe('Days on which the window opens'),
  from: timeOfDay.describe('When it opens'),
  to: timeOfDay.describe('When it closes; on the next day where this is the earlier time'),
  timezone: timezone.optional().describe('Time zone of the window; default: that of the controller'),
});
export type MaintenanceWindow = z.output<typeof maintenanceWindow>;

const blackout = z
  .strictObject({
    from: day.describe('First day'),
    to: day.describe('Last day'),
    reason: z.string().optional().describe('Why, for messages'),
  })
  .refine((value) => value.from <= value.to, 'a blackout must not end before it begins');

export const policy = z.strictObject({
  reboot: z
    .enum(['always', 'after-upgrade', 'when-required', 'never'])
    .describe('When a run reboots the host')
    .default('always'),
  rebootTimeout: positiveDuration
    .describe('How long the host may take to be back after the reboot')
    .prefault('20m'),
  upgradeTimeout: positiveDuration.describe('How long the upgrade may take').prefault('60m'),
  drainTimeout: duration
    .describe('How long to wait for running tasks before the run is postponed')
    .prefault('0s'),
  maintenanceDuration: duration
    .describe('How long a run is expected to take; no scheduled job may begin in that time')
    .prefault('30m'),
  backupMargin: duration
    .describe('Time that must be left after a run before the next scheduled job')
    .prefault('15m'),
  pbsJobs: z
    .enum(['block', 'warn'])
    .describe('Whether a verify, sync, prune, garbage collection or tape job due within a run blocks it')
    .default('block'),
  fence: z
    .enum(['read-only', 'none'])
    .describe('Maintenance mode of the datastores during a run')
    .default('read-only'),
  cleanup: z.boolean().describe('Run apt autoremove and autoclean after the upgrade').default(true),
  repairDpkg: z
    .boolean()
    .describe('Run dpkg --configure -a first where an earlier upgrade was cut off')
    .default(false),
  minRootFree: size.describe('Least free space on the root file system').prefault('2GiB'),
  protectedPackages: z
    .array(
      z
        .string()
        .regex(/^[a-z0-9][a-z0-9+.-]*\*?$/, 'expected the name of a Debian package, or its beginning and *'),
    )
    .describe('Packages that are never removed, beside the built-in ones; NAME or NAME*')
    .default([]),
  removals: z
    .enum(['approved', 'allow'])
    .describe('Whether an upgrade that removes packages (autoremove aside) needs --plan')
    .default('approved'),
  onExpiredLock: z
    .enum(['postpone', 'take-over'])
    .describe('What to do about a lock that has expired')
    .default('postpone'),
  maxClockSkew: duration.describe('How far the clocks of controller, PBS and PVE may differ').prefault('30s'),
  maintenanceWindow: maintenanceWindow
    .nullable()
    .describe('When runs may happen; null: at any time')
    .default(null),
  blackouts: z
    .array(blackout)
    .describe('Days on which no run may happen, the first and the last included')
    .default([]),
  stableFor: duration
    .describe('How long all must stay healthy after the reboot before verify passes')
    .prefault('10s'),
  minRebootInterval: duration
    .describe('No reboot of a host that booted less than this time ago')
    .prefault('1h'),
  requiredUnits: z
    .array(z.string().regex(/^[A-Za-z0-9:_.@\\-]+$/, 'expected the name of a systemd unit'))
    .describe('Further systemd units whose failure after the reboot holds the fence')
    .default([]),
  mayBeAway: z.array(z.string().min(1)).describe('Removable datastores that may be unmounted').default([]),
  offlineNodes: z
    .enum(['block', 'warn'])
    .describe('Whether an offline node of the cluster blocks a run')
    .default('block'),
  mixedVersions: z
    .enum(['block', 'warn'])
    .describe('Whether nodes of a cluster with different major versions of PVE block a run')
    .default('block'),
  verifyRead: z
    .boolean()
    .describe(
      'Whether a small file of the newest snapshot is read and compared with its manifest, where the token has Datastore.Read',
    )
    .default(true),
  pollInterval: positiveDuration.describe('How often to look while waiting').prefault('2s'),
  requestTimeout: positiveDuration.describe('How long one API request may take').prefault('15s'),
});
/** The policy in force for a host. Durations in milliseconds, sizes in bytes. */
export type Policy = z.output<typeof policy>;

type Field = keyof typeof policy.shape;
/** The same keys, all of them optional, for one host. */
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
