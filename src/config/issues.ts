import type { z } from 'zod';
import { jsonSchema, type config as schema } from './schema.js';
import { nearest, servedBy } from './target.js';

/** What is wrong with a config, a line each: path of the key, what was found, what is expected. */
export function describeIssues(issues: readonly z.core.$ZodIssue[], raw: unknown): string[] {
  const meant = new Set(issues.flatMap(meantKeys));
  // A key that is there, only misspelt, is not missing too.
  return issues
    .filter(({ path }) => valueAt(path, raw) !== undefined || !meant.has(nameOf(path)))
    .flatMap((issue) => describe(issue, raw));
}

const nameOf = (path: readonly PropertyKey[]) => path.map(String).join('.');

/** The keys that are meant by misspelt ones. */
const meantKeys = (issue: z.core.$ZodIssue): string[] =>
  issue.code === 'unrecognized_keys'
    ? issue.keys.map((key) => nameOf([...issue.path, nearest(key, knownKeys(issue.path)) ?? '']))
    : [];

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const where = nameOf(issue.path) || '(top level)';
  if (issue.code === 'unrecognized_keys') return unknownKeys(issue.path, issue.keys);
  if (issue.code === 'invalid_key') return [`${where}: ${issue.issues[0]?.message ?? issue.message}`];
  if (issue.code === 'invalid_union') {
    const misspelt = unknownInUnion(issue.path, valueAt(issue.path, raw));
    if (misspelt.length > 0) return misspelt;
    const nested = issue.errors.flat();
    const message = issue.message !== 'Invalid input' ? issue.message : (nested[0]?.message ?? issue.message);
    return [`${where}: ${found(issue, raw)}${message}`];
  }
  if (valueAt(issue.path, raw) === undefined && issue.message.endsWith('received undefined'))
    return [`${where}: missing`];
  return [`${where}: ${found(issue, raw)}${expected(issue)}`];
}

function expected(issue: z.core.$ZodIssue): string {
  if (issue.code === 'invalid_value')
    return `expected ${issue.values.length > 1 ? 'one of ' : ''}${issue.values.join(', ')}`;
  if (issue.code === 'invalid_type') return `expected ${KIND[issue.expected] ?? issue.expected}`;
  return issue.message.replace(/^(Too small|Too big): /, '');
}

const KIND: Readonly<Record<string, string>> = {
  string: 'a text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

function unknownKeys(path: readonly PropertyKey[], keys: readonly string[]): string[] {
  const known = knownKeys(path);
  return keys.map((key) => {
    const near = nearest(key, known);
    const gone = path.at(-1) === 'policy' && Object.hasOwn(GONE, key) ? GONE[key] : undefined;
    const help = gone ?? `unknown key${near ? `; did you mean "${near}"?` : ''}`;
    return `${nameOf([...path, key])}: ${help}`;
  });
}

/** Former keys of the policy, and what to use instead. */
const GONE: Readonly<Record<string, string>> = {
  escalateAfter:
    'this key is gone, remove it: Slack says how often in a row a host was postponed and since when, and an alert rule on pbs_ctl_last_patched_timestamp_seconds can call a person',
};

/** A union only reports that no form fits; unknown keys are the reason. */
function unknownInUnion(path: readonly PropertyKey[], value: unknown): string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return [];
  const known = knownKeys(path);
  return unknownKeys(
    path,
    Object.keys(value).filter((key) => !known.includes(key)),
  );
}

/**
 * The value, unless it may be a misplaced secret: of lists and objects the kind, of a token its id, of an
 * address no credentials, of notify nothing.
 */
function found({ path, ...issue }: z.core.$ZodIssue, raw: unknown): string {
  const value = valueAt(path, raw);
  if (value === undefined || path.some((key) => HIDDEN.has(String(key)))) return '';
  if (Array.isArray(value)) return 'found a list; ';
  if (typeof value === 'object' && value !== null) return 'found an object; ';
  if (typeof value !== 'string') return `found ${value}; `;
  const wantsMore = issue.code === 'invalid_type' && !['string', 'number', 'int'].includes(issue.expected);
  if (wantsMore) return 'found a text; ';
  const shown = path.at(-1) === 'token' ? tokenId(value) : value.replace(/\/\/.*@/s, '//…@');
  if (shown === null) return '';
  return `found ${JSON.stringify(shown.length > 60 ? `${shown.slice(0, 57)}…` : shown)}; `;
}

const HIDDEN = new Set(['secret', 'notify']);

/** Null for what does not look like an id. */
function tokenId(value: string): string | null {
  const [, id, rest] = /^([^\s:=!]*[@!][^\s:=]*)(.*)$/s.exec(value) ?? [];
  return id === undefined ? null : `${id}${rest === '' ? '' : '…'}`;
}

const valueAt = (path: readonly PropertyKey[], raw: unknown): unknown =>
  path.reduce<unknown>((at, key) => (at as Record<PropertyKey, unknown> | undefined | null)?.[key], raw);

/** Keys that the schema knows at a path, names and indices passed over. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  const found = path.reduce<Form[]>(
    (at, key) =>
      at.flatMap(({ properties, additionalProperties, items }) =>
        formsOf(properties?.[String(key)] ?? additionalProperties ?? items),
      ),
    formsOf(jsonSchema() as Form),
  );
  return [...new Set(found.flatMap(({ properties }) => Object.keys(properties ?? {})))];
}

interface Form {
  readonly properties?: Readonly<Record<string, Form>>;
  readonly additionalProperties?: Form | boolean;
  readonly items?: Form;
  readonly anyOf?: readonly Form[];
  readonly oneOf?: readonly Form[];
}

/** All forms of a union. */
const formsOf = (form: Form | boolean | undefined): Form[] =>
  typeof form !== 'object' ? [] : [form, ...[...(form.anyOf ?? []), ...(form.oneOf ?? [])].flatMap(formsOf)];

/**
 * Contradictions between parts of a config. Also for a config with other errors, so that all are reported at
 * once: what depends on a wrong part is left out.
 */
export function crossChecks(raw: unknown, issues: readonly z.core.$ZodIssue[]): string[] {
  const wrong = issues.flatMap((issue) =>
    issue.code === 'unrecognized_keys' ? issue.keys.map((key) => [...issue.path, key]) : [issue.path],
  );
  /** Nothing is wrong with it, around it or in it. */
  const isClear = (...place: string[]) =>
    !wrong.some((path) => place.every((key, index) => path.length <= index || path[index] === key));
  /** It can be read, even if something in it is wrong. */
  const isReadable = (...place: string[]) =>
    !wrong.some((path) => path.length <= place.length && path.every((key, index) => place[index] === key));
  const config = (isReadable() ? raw : {}) as Partial<z.input<typeof schema>>;
  const clusters: NonNullable<typeof config.clusters> = Object.assign(
    Object.create(null),
    isReadable('clusters') ? config.clusters : {},
  );
  const hosts = Object.entries((isReadable('hosts') && config.hosts) || {})
    .filter(([name]) => isReadable('hosts', name))
    .map(([name, { guest, serves, upgrade }]) => ({
      name,
      guest: isClear('hosts', name, 'guest') ? guest : undefined,
      serves: isClear('hosts', name, 'serves') ? serves : undefined,
      via: isClear('hosts', name, 'upgrade') ? (upgrade?.via ?? 'guest-agent') : null,
    }));
  const problems: string[] = [];
  const unknown = (cluster: string) => {
    const near = nearest(cluster, Object.keys(clusters));
    const help = near
      ? `; did you mean "${near}"?`
      : ` (there is: ${Object.keys(clusters).join(', ') || 'none'})`;
    return `no cluster "${cluster}" is configured${help}`;
  };
  const guests = new Map<string, string>();
  for (const { name, guest, serves, via } of hosts) {
    if (guest && !clusters[guest.cluster])
      problems.push(`hosts.${name}.guest.cluster: ${unknown(guest.cluster)}`);
    for (const [index, cluster] of (serves ?? []).entries()) {
      if (!clusters[cluster]) problems.push(`hosts.${name}.serves.${index}: ${unknown(cluster)}`);
    }
    const isWithoutGuest = guest === undefined && isClear('hosts', name, 'guest');
    if (isWithoutGuest && via === 'guest-agent') {
      problems.push(
        `hosts.${name}.guest: missing; the upgrade runs through the guest agent of the VM, so name its cluster and vmid`,
      );
    }
    if (isWithoutGuest && servedBy({ guest, serves }).length === 0 && isClear('hosts', name, 'serves')) {
      problems.push(
        `hosts.${name}.serves: missing; without a guest, name the clusters that back up to this host`,
      );
    }
    const vm = guest && `${guest.cluster}/${guest.vmid}`;
    const other = vm && guests.get(vm);
    if (other) problems.push(`hosts.${name}.guest: guest ${vm} is already that of host "${other}"`);
    else if (vm) guests.set(vm, name);
  }
  // A guest that cannot be read may be the lock carrier.
  const knowsGuests = Object.keys(config.hosts ?? {}).every((name) => isClear('hosts', name, 'guest'));
  for (const cluster of Object.keys(clusters)) {
    const lock = clusters[cluster]?.lock;
    const hasCarrier = lock?.vmid !== undefined || hosts.some(({ guest }) => guest?.cluster === cluster);
    if (hasCarrier || lock?.store === 'registered-tag') continue;
    if (knowsGuests && isClear('clusters', cluster, 'lock')) {
      problems.push(
        `clusters.${cluster}.lock.vmid: missing; no host has its VM in this cluster, so no guest can carry the lock tag`,
      );
    }
  }
  return problems;
}
