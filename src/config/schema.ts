import { z } from 'zod';
import { duration, endpoint, name, secret, tag, tls, token, vmid } from './fields.js';
import { policy, policyOverrides } from './policy.js';
import { isLockTtl } from './quantity.js';

export type { SecretReference, TlsConfig } from './fields.js';
export type { MaintenanceWindow, Policy } from './policy.js';

const lock = z.strictObject({
  store: z
    .enum(['guest-tag', 'registered-tag'])
    .default('guest-tag')
    .describe('How the lock tag is kept: on a guest, or registered for the cluster too'),
  vmid: vmid
    .optional()
    .describe('Guest that carries the lock tag; default: the VM of the first host in this cluster'),
  tag: tag.default('pbs-ctl-lock').describe('Prefix of the lock tag'),
  ttl: duration
    .refine(isLockTtl, 'expected a duration from 5s to 30d, such as "2h"')
    .prefault('2h')
    .describe('How long the lock lasts without renewal'),
  blockingTags: z
    .array(tag)
    .default(['pve-patching'])
    .describe('Tags on a guest that mean: PVE is being patched'),
});

const cluster = z.strictObject({
  endpoints: z.array(endpoint).min(1).describe('Addresses of the nodes, tried in this order'),
  token: token.describe('API token of PVE'),
  secret: secret.describe('Where its secret is kept'),
  tls,
  lock: lock.prefault({}),
  otherStorages: z
    .array(z.string().min(1))
    .default([])
    .describe('Storages of type pbs that are surely none of the hosts here'),
});
export type ClusterConfig = z.output<typeof cluster>;

const upgrade = z
  .discriminatedUnion('via', [
    z.strictObject({ via: z.literal('guest-agent').describe('How packages get upgraded') }),
    z.strictObject({
      via: z.literal('service').describe('How packages get upgraded'),
      unit: z
        .string()
        .regex(/^[A-Za-z0-9_.-]+\.service$/, 'expected a unit name such as "pbs-ctl-upgrade.service"')
        .describe('With "service": the systemd unit on the host that does it'),
    }),
  ])
  .describe('How packages get upgraded');

const host = z.strictObject({
  endpoint: endpoint.describe('Address of the PBS'),
  token: token.describe('API token of PBS'),
  secret: secret.describe('Where its secret is kept'),
  tls,
  guest: z
    .strictObject({
      cluster: z.string().describe('Cluster that the VM is in'),
      vmid: vmid.describe('Its id'),
    })
    .optional()
    .describe('The VM that this PBS runs in'),
  serves: z
    .array(z.string())
    .optional()
    .describe('Clusters whose backups go to this host; default: the one that its VM is in'),
  addresses: z
    .array(z.string().min(1))
    .default([])
    .describe('More names or addresses by which storages of PVE refer to this host'),
  upgrade: upgrade.default({ via: 'guest-agent' }),
  policy: policyOverrides.default({}).describe('Overrides the policy for this host, key by key'),
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
  webhook: secret.describe('Where the address of the webhook is kept'),
  on: z
    .array(z.enum(OUTCOMES))
    .describe('Outcomes that are posted')
    .default(['patched', 'postponed', 'reboot-pending', 'failed', 'unverified', 'interrupted']),
  repeatPostponed: duration.prefault('1d').describe('How often the same postponement is posted again'),
});
const webhook = z.strictObject({
  url: z
    .string()
    .refine(isSafeWebhook, 'expected an https address without user and password (http only on loopback)')
    .meta({ title: 'address', description: 'Where the report of each run is posted as JSON' }),
  secret: secret.describe('Secret that signs it (HMAC-SHA256)'),
});
const notify = z.strictObject({
  slack: slack.nullable().describe('Messages to a Slack channel').prefault(null),
  webhook: webhook.nullable().describe('Reports to a program').prefault(null),
});
export type NotifyConfig = z.output<typeof notify>;

/** With no key but its own: a name such as "constructor" is otherwise in every object. */
const named = <Value>(entries: Record<string, Value>): Record<string, Value> =>
  Object.assign(Object.create(null), entries);

/** The whole config file. `pbs-ctl schema` prints the JSON Schema of it. */
export const config = z.strictObject({
  $schema: z.string().optional().describe('JSON Schema for an editor'),
  clusters: z.record(name, cluster).transform(named),
  hosts: z.record(name, host).transform(named),
  policy: policy.prefault({}),
  notify: notify.prefault({}),
  metrics: z
    .strictObject({
      textfile: z
        .string()
        .nullable()
        .default(null)
        .describe('File for the textfile collector of the Prometheus node exporter'),
    })
    .prefault({}),
  keepRuns: z.int().min(1).default(100).describe('How many past runs stay in stateDir'),
  stateDir: z
    .string()
    .min(1)
    .optional()
    .describe('Folder for journals; default: $STATE_DIRECTORY, else ~/.local/state/pbs-ctl'),
});
export type Config = z.output<typeof config>;

/** JSON Schema of the config file, made from the definition that checks it. */
export const jsonSchema = () => z.toJSONSchema(config, { io: 'input', unrepresentable: 'any' });

/** Webhooks need https, except on loopback addresses. */
export function isSafeWebhook(address: string): boolean {
  if (!URL.canParse(address)) return false;
  const { protocol, hostname, username, password } = new URL(address);
  if (username + password !== '') return false;
  if (protocol === 'https:') return true;
  return protocol === 'http:' && /^(localhost|127(\.\d+){3}|\[::1\])$/.test(hostname);
}
