import type { Endpoint, Schema } from './contract.js';

// Where the publication is silent, or says what the server's own code does not do. Each entry was taken from
// that code, and is checked like everything that is published: nothing passes because it is not described.

const whole: Schema = { type: 'integer', minimum: 0 };
const lines: Schema = {
  type: 'array',
  items: {
    type: 'object',
    additionalProperties: false,
    properties: { n: { type: 'integer', minimum: 1 }, t: { type: 'string' } },
  },
};
const bytes: Schema = { type: 'array', items: { type: 'integer', minimum: 0, maximum: 255 } };
const upid: Schema = {
  type: 'string',
  pattern: '/^UPID:[^:\\s]+:(?:[0-9A-F]{8,16}:){4}[^:\\s]+:[^:\\s]*:[^:\\s]+:$/',
};
const logReader: Endpoint['permissions'] = {
  check: { partial: false, path: ['system', 'log'], privs: ['Sys.Audit'] },
};
const node: Schema = { type: 'string', pattern: '/^[a-zA-Z0-9-]+$/' };
const optional = (schema: Schema): Schema => ({ ...schema, optional: 1 });

/** Answers that the publication calls nothing, while the handler returns something. */
export const ANSWERS: Readonly<Record<string, Schema>> = {
  'pbs GET /admin/datastore/{store}/active-operations': {
    type: 'object',
    additionalProperties: false,
    properties: { read: whole, write: whole },
  },
  'pbs GET /nodes/{node}/tasks/{upid}/log': lines,
  'pbs POST /nodes/{node}/services/{service}/start': upid,
};

/** Endpoints that exist and are not published in these extracts. */
export const ENDPOINTS: Readonly<Record<string, Endpoint>> = {
  'pve GET /access/users/{userid}': {
    // Of a user without groups; of others the path goes on with the group.
    permissions: { check: ['perm', '/access/groups', ['User.Modify', 'Sys.Audit'], 'any', 1] },
    parameters: {
      type: 'object',
      additionalProperties: false,
      properties: { userid: { type: 'string', maxLength: 64 } },
    },
    returns: {
      type: 'object',
      additionalProperties: false,
      properties: {
        enable: optional({ type: 'boolean' }),
        expire: optional(whole),
        firstname: optional({ type: 'string' }),
        lastname: optional({ type: 'string' }),
        email: optional({ type: 'string' }),
        comment: optional({ type: 'string' }),
        keys: optional({ type: 'string' }),
        groups: optional({ type: 'array', items: { type: 'string' } }),
        tokens: optional({
          type: 'object',
          additionalProperties: {
            type: 'object',
            properties: {
              privsep: optional({ type: 'boolean' }),
              expire: optional(whole),
              comment: optional({ type: 'string' }),
            },
          },
        }),
      },
    },
  },
  'pbs GET /access/users/{userid}': {
    permissions: { check: { partial: false, path: ['access', 'users'], privs: ['Sys.Audit'] } },
    parameters: {
      type: 'object',
      additionalProperties: false,
      properties: { userid: { type: 'string', maxLength: 64 } },
    },
    returns: {
      type: 'object',
      additionalProperties: false,
      properties: {
        userid: { type: 'string' },
        comment: optional({ type: 'string' }),
        enable: optional({ type: 'boolean' }),
        expire: optional(whole),
        firstname: optional({ type: 'string' }),
        lastname: optional({ type: 'string' }),
        email: optional({ type: 'string' }),
      },
    },
  },
  'pbs GET /access/users/{userid}/token/{token-name}': {
    permissions: { check: { partial: false, path: ['access', 'users'], privs: ['Sys.Audit'] } },
    parameters: {
      type: 'object',
      additionalProperties: false,
      properties: {
        userid: { type: 'string', maxLength: 64 },
        'token-name': { type: 'string', pattern: '/^[A-Za-z0-9_][A-Za-z0-9._-]*$/' },
      },
    },
    returns: {
      type: 'object',
      additionalProperties: false,
      properties: {
        tokenid: { type: 'string' },
        comment: optional({ type: 'string' }),
        enable: optional({ type: 'boolean' }),
        expire: optional(whole),
      },
    },
  },
  'pbs GET /config/remote': {
    // The list is shorter for a token that lacks the privilege on some.
    permissions: { user: 'all' },
    parameters: { type: 'object', additionalProperties: false, properties: {} },
    returns: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          name: { type: 'string' },
          host: { type: 'string' },
          port: optional({ type: 'integer', minimum: 1, maximum: 65535 }),
          'auth-id': { type: 'string' },
          fingerprint: optional({ type: 'string' }),
          comment: optional({ type: 'string' }),
        },
      },
    },
  },
  'pbs GET /nodes/{node}/disks/zfs': {
    permissions: { check: { partial: false, path: ['system', 'disks'], privs: ['Sys.Audit'] } },
    parameters: { type: 'object', additionalProperties: false, properties: { node } },
    returns: {
      type: 'array',
      items: {
        type: 'object',
        additionalProperties: false,
        properties: {
          name: { type: 'string' },
          health: { type: 'string' },
          size: whole,
          alloc: whole,
          free: whole,
          frag: whole,
          dedup: { type: 'number' },
        },
      },
    },
  },
  'pbs GET /nodes/{node}/journal': {
    permissions: logReader,
    parameters: {
      type: 'object',
      additionalProperties: false,
      properties: {
        node,
        since: optional(whole),
        until: optional(whole),
        lastentries: optional(whole),
        startcursor: optional({ type: 'string' }),
        endcursor: optional({ type: 'string' }),
      },
    },
    returns: { type: 'array', items: { type: 'string' } },
  },
  'pbs GET /nodes/{node}/syslog': {
    permissions: logReader,
    parameters: {
      type: 'object',
      additionalProperties: false,
      properties: {
        node,
        start: optional(whole),
        limit: optional(whole),
        since: optional({ type: 'string', pattern: '/^\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2})?)?$/' }),
        until: optional({ type: 'string', pattern: '/^\\d{4}-\\d{2}-\\d{2}( \\d{2}:\\d{2}(:\\d{2})?)?$/' }),
        service: optional({ type: 'string', maxLength: 128 }),
      },
    },
    returns: lines,
  },
};

/** A single field of which the publication says something else than the server sends, or says it in prose. */
export const FIELDS: Readonly<Record<string, (returns: Schema) => Schema>> = {
  // The digest of one repository file: 32 numbers, not a text.
  'pbs GET /nodes/{node}/apt/repositories': (returns) =>
    within(returns, ['files', '[]', 'digest'], () => bytes),
  // Null where nothing was measured.
  'pbs GET /status/datastore-usage': (returns) =>
    within(returns, ['[]', 'history', '[]'], (value) => ({ ...value, optional: 1 })),
  'pbs GET /nodes/{node}/tasks/{upid}/status': (returns) =>
    within(returns, ['status'], (status) => ({ ...status, enum: ['running', 'stopped'] })),
};

/** Answers of PVE 8.4 of which little or nothing is published, and whose code is that of 9.2. */
export const AS_IN_PVE_9: readonly string[] = ['GET /cluster/backup', 'GET /nodes/{node}/apt/versions'];

function within(schema: Schema, path: readonly string[], change: (schema: Schema) => Schema): Schema {
  const [step, ...rest] = path;
  if (step === undefined) return change(schema);
  if (step === '[]') return { ...schema, items: within(schema.items ?? {}, rest, change) };
  const below = schema.properties?.[step];
  if (!below) throw new Error(`the schema has no ${step}: look whether it was corrected upstream`);
  return { ...schema, properties: { ...schema.properties, [step]: within(below, rest, change) } };
}
