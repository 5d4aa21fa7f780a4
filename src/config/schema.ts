import { z } from 'zod';
import { parseDuration, parseSize } from './quantity.js';

const duration = z
  .union([z.string(), z.number().nonnegative()])
  .describe('A duration: 90s, 20m, 2h, 1d, 500ms, or a number of seconds')
  .transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: 'expected a duration such as "90s", "20m", "2h" or "1d"' });
    return z.NEVER;
  });

const size = z
  .union([z.string(), z.number().nonnegative()])
  .describe('A size: 2GiB, 512MiB, or a number of bytes')
  .transform((value, context) => {
    const bytes = parseSize(value);
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: 'custom', message: 'expected a size such as "2GiB" or "512MiB"' });
    return z.NEVER;
  });

/** Where a secret is found. It never stands in the config itself. */
const secret = z
  .union(
    [
      z.strictObject({ env: z.string().min(1).describe('Name of an environment variable') }),
      z.strictObject({ file: z.string().min(1).describe('Path of a file that only its owner can read') }),
      z.strictObject({
        credential: z
          .string()
          .regex(/^[A-Za-z0-9._-]+$/)
          .describe('File name in $CREDENTIALS_DIRECTORY (systemd)'),
      }),
    ],
    {
      error: ({ input }) =>
        typeof input === 'string'
          ? 'a secret must not stand in the config: write {"env": "NAME"}, {"file": "/path"} or {"credential": "name"} instead'
          : 'expected {"env": "NAME"}, {"file": "/path"} or {"credential": "name"}',
    },
  )
  .describe('Reference to a secret: environment variable, file or systemd credential');
export type SecretReference = z.output<typeof secret>;

const fingerprint = z
  .string()
  .regex(
    /^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/,
    'expected a SHA-256 fingerprint: 32 hex pairs joined by ":"',
  )
  .transform((value) => value.toUpperCase());

const tls = z
  .strictObject({
    fingerprints: z
      .array(fingerprint)
      .min(1)
      .optional()
      .describe('SHA-256 fingerprints of accepted certificates'),
    caFile: z.string().min(1).optional().describe('PEM file with the CAs to trust'),
  })
  .refine(
    (value) => !(value.fingerprints && value.caFile),
    'give either "fingerprints" or "caFile", not both',
  )
  .default({})
  .describe('How the certificate is checked; {} means the CAs of the system');
export type TlsConfig = z.output<typeof tls>;

const endpoint = z
  .string()
  .regex(
    /^https:\/\/[^/?#]+\/?$/,
    'expected an address such as "https://pve1.example.net:8006" (https, no path)',
  )
  .transform((value) => value.replace(/\/$/, ''));

const token = z
  .string()
  .regex(
    /^[^\s:/!@]+@[A-Za-z][A-Za-z0-9._-]*![A-Za-z0-9_][A-Za-z0-9._-]*$/,
    'expected a token id of the form "user@realm!token"',
  );

const tag = z
  .string()
  .regex(/^[a-z0-9_][a-z0-9_.-]*$/, 'expected a tag of lower-case letters, digits, "_", "." and "-"');
const vmid = z.int().min(100).max(999_999_999);
const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'expected a name of lower-case letters, digits, ".", "_" and "-"');

const lock = z.strictObject({
  store: z.enum(['guest-tag', 'registered-tag']).default('guest-tag').describe('Where the lock tag is kept'),
  vmid: vmid
    .optional()
    .describe('Guest that carries the tag; default: the PBS guest of the first host of the cluster'),
  tag: tag.default('pbs-ctl-lock').describe('Prefix of the lock tag'),
  ttl: duration.prefault('2h').describe('How long the lock lasts unless renewed'),
  blockingTags: z.array(tag).default(['pve-patching']).describe('Tags that say: PVE is being patched'),
});

const cluster = z.strictObject({
  endpoints: z.array(endpoint).min(1).describe('Addresses of the nodes, tried in this order'),
  token: token.describe('API token id of PVE'),
  secret,
  tls,
  lock: lock.prefault({}),
});
export type ClusterConfig = z.output<typeof cluster>;

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
  rebootTimeout: duration,
  upgradeTimeout: duration,
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
  pollInterval: duration,
  requestTimeout: duration,
};
const policyOverrides = z.strictObject(policyFields).partial();
const policy = z.strictObject({
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

const upgrade = z
  .discriminatedUnion('via', [
    z.strictObject({ via: z.literal('guest-agent') }),
    z.strictObject({
      via: z.literal('service'),
      unit: z
        .string()
        .regex(/^[A-Za-z0-9_.-]+\.service$/, 'expected a unit name such as "pbs-ctl-upgrade.service"'),
    }),
  ])
  .describe('How packages are upgraded');

const host = z.strictObject({
  endpoint: endpoint.describe('Address of the PBS'),
  token: token.describe('API token id of PBS'),
  secret,
  tls,
  guest: z.strictObject({ cluster: z.string(), vmid }).optional().describe('The VM that is this PBS'),
  serves: z
    .array(z.string())
    .optional()
    .describe('Clusters whose backups go to this host; default: that of its guest'),
  addresses: z
    .array(z.string().min(1))
    .default([])
    .describe('Further names under which PVE storages know this host'),
  upgrade: upgrade.default({ via: 'guest-agent' }),
  policy: policyOverrides.default({}).describe('Overrides of the top-level policy, key by key'),
});
export type HostConfig = z.output<typeof host>;

export const OUTCOMES = [
  'patched',
  'checked',
  'postponed',
  'reboot-pending',
  'failed',
  'unverified',
  'interrupted',
  'abandoned',
] as const;
export type Outcome = (typeof OUTCOMES)[number];

const slack = z.strictObject({
  webhook: secret,
  on: z
    .array(z.enum(OUTCOMES))
    .default(['patched', 'postponed', 'reboot-pending', 'failed', 'unverified', 'interrupted']),
  repeatPostponed: duration
    .prefault('1d')
    .describe('Identical postponements in a row are sent once per this time'),
});
const webhook = z.strictObject({
  url: z.string().refine(isSafeWebhook, 'expected an https address (http only on loopback)'),
  secret,
});
const notify = z.strictObject({
  slack: slack.nullable().default(null),
  webhook: webhook.nullable().default(null),
});
export type NotifyConfig = z.output<typeof notify>;

/** The whole config file. `pbs-ctl schema` prints the JSON Schema of it. */
export const config = z.strictObject({
  $schema: z.string().optional(),
  clusters: z.record(name, cluster),
  hosts: z.record(name, host),
  policy: policy.prefault({}),
  notify: notify.prefault({}),
  metrics: z.strictObject({ textfile: z.string().nullable().default(null) }).prefault({}),
  keepRuns: z.int().min(1).default(100).describe('Runs kept in stateDir'),
  stateDir: z.string().min(1).optional(),
});
export type Config = z.output<typeof config>;

/** Webhooks need https, except on loopback addresses. */
export function isSafeWebhook(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}

function isTimezone(zone: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: zone });
    return true;
  } catch {
    return false;
  }
}
