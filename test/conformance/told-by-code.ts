import type { Schema } from './contract.js';

// Fields that the published schemas of PVE leave out, or call optional since one schema describes several kinds
// of entries, taken from the code that builds the answers. Without them the schema says nothing to decode.

const text: Schema = { type: 'string' };
const whole: Schema = { type: 'integer', minimum: 0 };
const yes: Schema = { type: 'boolean' };
const optional = (schema: Schema): Schema => ({ ...schema, optional: 1 });
const named = (...names: string[]): Schema => ({ type: 'string', enum: names });
const object = (properties: Record<string, Schema>): Schema => ({ type: 'object', properties });
const list = (items: Schema): Schema => ({ type: 'array', items });
const mapOf = (additionalProperties: Schema): Schema => ({ type: 'object', additionalProperties });

const refusal = object({ error: object({ class: optional(text), desc: { type: 'string', minLength: 1 } }) });

/** What stands in `result` of a simple agent command, in the JSON of the agent itself. */
export const AGENT_RESULTS: Readonly<Record<string, Schema>> = {
  'POST /nodes/{node}/qemu/{vmid}/agent/ping': object({}),
  'GET /nodes/{node}/qemu/{vmid}/agent/info': object({
    version: text,
    supported_commands: list(object({ name: text, enabled: yes, 'success-response': yes })),
  }),
  'GET /nodes/{node}/qemu/{vmid}/agent/network-get-interfaces': list(
    object({
      name: text,
      'hardware-address': optional(text),
      'ip-addresses': optional(
        list(object({ 'ip-address-type': named('ipv4', 'ipv6'), 'ip-address': text, prefix: whole })),
      ),
    }),
  ),
  'POST /nodes/{node}/qemu/{vmid}/agent/fsfreeze-status': named('thawed', 'frozen'),
};
export const AGENT_REFUSAL = refusal;

/** In place of what is published. */
const INSTEAD: Readonly<Record<string, Schema>> = {
  'GET /cluster/tasks': list(
    object({
      upid: text,
      node: text,
      type: text,
      id: optional(text),
      user: text,
      tokenid: optional(text),
      starttime: whole,
      pid: optional(whole),
      saved: optional(yes),
      endtime: optional(whole),
      status: optional(text),
    }),
  ),
  'GET /cluster/options': object({
    'registered-tags': optional(list({ type: 'string', pattern: '[a-z0-9_][a-z0-9_.+-]*' })),
    'allowed-tags': optional(list(text)),
    'user-tag-access': optional(
      object({
        'user-allow': optional(named('none', 'list', 'existing', 'free')),
        'user-allow-list': optional(list(text)),
      }),
    ),
    'tag-style': optional(object({ ordering: optional(named('config', 'alphabetical')) })),
  }),
  'GET /storage': list(
    object({
      storage: text,
      type: text,
      server: optional(text),
      port: optional(whole),
      datastore: optional(text),
      fingerprint: optional(text),
      nodes: optional(text),
      disable: optional(yes),
      content: optional(text),
    }),
  ),
  'GET /cluster/ha/status/manager_status': object({
    quorum: object({ node: text, quorate: yes }),
    manager_status: optional(
      object({
        timestamp: optional(whole),
        node_status: optional(mapOf(named('online', 'maintenance', 'unknown', 'fence', 'gone'))),
        node_request: optional(mapOf(object({ maintenance: optional(yes) }))),
      }),
    ),
    lrm_status: optional(
      mapOf(object({ mode: optional(text), state: optional(text), timestamp: optional(whole) })),
    ),
  }),
  'GET /nodes/{node}/qemu/{vmid}/config': object({
    digest: { type: 'string', pattern: '[0-9a-f]{40}' },
    tags: optional(text),
    lock: optional(text),
    agent: optional({ type: 'string', pattern: '(?:enabled=)?[01](?:,fstrim_cloned_disks=[01])?' }),
    protection: optional(yes),
    name: optional(text),
  }),
};

/** Fields that every entry of the kind that is asked for has. */
const ALWAYS: Readonly<Record<string, readonly string[]>> = {
  'GET /cluster/resources': ['vmid', 'node', 'status'],
  'GET /cluster/status': ['quorate', 'online'],
};
/** Fields that are not published at all. */
const BESIDE: Readonly<Record<string, Readonly<Record<string, Schema>>>> = {
  'GET /nodes/{node}/status': { uptime: whole },
};
/** The kinds of entries that the parameters of the request let through. */
const KINDS: Readonly<Record<string, readonly string[]>> = {
  'GET /cluster/resources': ['qemu', 'lxc'],
};

/** The schema of an answer with what the code tells beyond it. */
export function told(name: string, published: Schema): Schema {
  const instead = INSTEAD[name];
  if (instead) return instead;
  const beside = BESIDE[name];
  if (beside) return { ...published, properties: { ...published.properties, ...beside } };
  const always = ALWAYS[name];
  if (!always) return published;
  const properties = Object.fromEntries(
    Object.entries(published.items?.properties ?? {}).map(([field, schema]) => {
      if (field === 'type' && KINDS[name]) return [field, { ...schema, enum: KINDS[name] }];
      return [field, always.includes(field) ? { ...schema, optional: 0 as const } : schema];
    }),
  );
  return { ...published, items: { ...published.items, properties } };
}
