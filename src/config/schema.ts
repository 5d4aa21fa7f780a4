import { z } from 'zod';
import { duration, endpoint, name, positiveDuration, secret, tag, tls, token, vmid } from './fields.js';
import { policy, policyOverrides } from './policy.js';

export type { SecretReference, TlsConfig } from './fields.js';
export type { MaintenanceWindow, Policy } from './policy.js';

const lock = z.strictObject({
  store: z.enum(['guest-tag', 'registered-tag']).default('guest-tag').describe('Where the lock tag is kept'),
  vmid: vmid
    .optional()
    .describe('Guest that carries the tag; default: the PBS guest of the first host of the cluster'),
  tag: tag.default('pbs-ctl-lock').describe('Prefix of the lock tag'),
  ttl: positiveDuration.prefault('2h').describe('How long the lock lasts unless renewed'),
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

/** JSON Schema of the config file, made from the definition that checks it. */
export const jsonSchema = () => z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' });

/** Webhooks need https, except on loopback addresses. */
export function isSafeWebhook(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname } = new URL(address);
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
