import { existsSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

/** The vendor's published API schemas, as data. They lie beside the project, where they are there at all. */
const FOLDER = resolve(process.env.PBS_CTL_CONTRACTS ?? '../shared/contracts');
export const contractsAreHere = existsSync(join(FOLDER, 'pve-9.2.json'));
export const WHY_SKIPPED = `the published API schemas are not in ${FOLDER} (PBS_CTL_CONTRACTS names another place)`;

export interface Schema {
  readonly type?: string;
  readonly optional?: boolean | 0 | 1;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number | string;
  readonly maximum?: number | string;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | 0 | 1 | Schema;
  readonly items?: Schema;
  readonly requires?: string;
}

export interface Endpoint {
  readonly parameters?: Schema;
  readonly permissions?: Readonly<Record<string, unknown>>;
  readonly returns?: Schema;
  readonly allowtoken?: boolean;
}

export interface Contract {
  readonly product: 'pve' | 'pbs';
  readonly version: string;
  /** The endpoint of a request, with the parameters that stand in its path. */
  find(
    method: string,
    path: string,
  ): { name: string; endpoint: Endpoint; inPath: Record<string, string> } | null;
}

export function contract(product: 'pve' | 'pbs', version: string): Contract {
  const { endpoints } = JSON.parse(readFileSync(join(FOLDER, `${product}-${version}.json`), 'utf8')) as {
    endpoints: Record<string, Endpoint>;
  };
  const known = Object.entries(endpoints).map(([name, endpoint]) => {
    const [method = '', template = ''] = name.split(' ');
    return { name, endpoint, method, parts: template.split('/') };
  });
  return {
    product,
    version,
    find(method, path) {
      const given = path.split('/').map(decodeURIComponent);
      const matches = known.flatMap(({ name, endpoint, method: verb, parts }) => {
        if (verb !== method || parts.length !== given.length) return [];
        const inPath: Record<string, string> = {};
        for (const [index, part] of parts.entries()) {
          const value = given[index] ?? '';
          if (part.startsWith('{')) inPath[part.slice(1, -1)] = value;
          else if (part !== value) return [];
        }
        return [{ name, endpoint, inPath }];
      });
      return matches.sort((a, b) => Object.keys(a.inPath).length - Object.keys(b.inPath).length)[0] ?? null;
    },
  };
}

/** Booleans as the servers take them from a query or form, and as PVE gives them in JSON. */
const BOOLEANS = new Set<unknown>([true, false, 0, 1, '0', '1', 'true', 'false', 'yes', 'no', 'on', 'off']);

export interface Reading {
  /** Texts count as what they spell: on the wire of a query everything is text. */
  readonly lenient: boolean;
  readonly product: 'pve' | 'pbs';
}

/** Where a value is not what the schema says; empty = it is. */
export function violations(schema: Schema, value: unknown, reading: Reading, at = ''): string[] {
  const wrong = (what: string) => [`${at || '(value)'}: ${what}`];
  if (value === undefined || value === null) {
    return schema.optional || schema.type === 'null' || schema.type === undefined ? [] : wrong('missing');
  }
  const loose = reading.lenient || reading.product === 'pve';
  switch (schema.type) {
    case 'string':
      if (typeof value !== 'string' && !(loose && typeof value === 'number'))
        return wrong(`${typeof value} instead of string`);
      return text(schema, String(value), wrong);
    case 'integer':
    case 'number': {
      const number = typeof value === 'string' && loose ? Number(value) : value;
      if (typeof number !== 'number' || Number.isNaN(number))
        return wrong(`${JSON.stringify(value)} instead of ${schema.type}`);
      if (schema.type === 'integer' && !Number.isInteger(number)) return wrong(`${number} is no integer`);
      if (schema.minimum !== undefined && number < Number(schema.minimum))
        return wrong(`${number} is below ${schema.minimum}`);
      if (schema.maximum !== undefined && number > Number(schema.maximum))
        return wrong(`${number} is above ${schema.maximum}`);
      return [];
    }
    case 'boolean':
      return typeof value === 'boolean' || (loose && BOOLEANS.has(value))
        ? []
        : wrong(`${JSON.stringify(value)} instead of boolean`);
    case 'array': {
      const items = Array.isArray(value) ? value : reading.lenient ? [value] : null;
      if (!items) return wrong(`${typeof value} instead of array`);
      return items.flatMap((item, index) => violations(schema.items ?? {}, item, reading, `${at}[${index}]`));
    }
    case 'object':
      if (typeof value !== 'object' || Array.isArray(value))
        return wrong(`${typeof value} instead of object`);
      return object(schema, value as Record<string, unknown>, reading, at);
    default:
      return schema.properties && typeof value === 'object'
        ? object(schema, value as Record<string, unknown>, reading, at)
        : [];
  }
}

function text(schema: Schema, value: string, wrong: (what: string) => string[]): string[] {
  if (schema.enum && !schema.enum.map(String).includes(value))
    return wrong(`"${value}" is none of ${schema.enum.join(', ')}`);
  if (schema.minLength !== undefined && value.length < schema.minLength)
    return wrong(`"${value}" is too short`);
  if (schema.maxLength !== undefined && value.length > schema.maxLength)
    return wrong(`"${value}" is too long`);
  const pattern = schema.pattern === undefined ? null : expression(schema.pattern);
  return pattern && !pattern.test(value) ? wrong(`"${value}" does not match ${schema.pattern}`) : [];
}

/** PBS wraps patterns in slashes, PVE anchors them silently; Rust and Perl name their groups and classes differently. */
export function expression(pattern: string): RegExp | null {
  const wrapped = /^\/(.*)\/$/s.exec(pattern)?.[1];
  const source = (wrapped ?? `^(?:${pattern})$`)
    .replaceAll('(?P<', '(?<')
    .replaceAll('[[:^cntrl:]]', '[^\\x00-\\x1f\\x7f]')
    .replaceAll('[:cntrl:]', '\\x00-\\x1f\\x7f')
    .replace(/\(\?\^?[a-z]*:/g, '(?:');
  try {
    return new RegExp(source);
  } catch {
    return null;
  }
}

function object(schema: Schema, value: Record<string, unknown>, reading: Reading, at: string): string[] {
  const properties = schema.properties ?? {};
  const below = (name: string) => (at ? `${at}.${name}` : name);
  const listed = Object.entries(properties)
    .filter(([name]) => !name.endsWith('[n]'))
    .flatMap(([name, each]) => violations(each, value[name], reading, below(name)));
  const unlisted = Object.keys(value).filter(
    (name) => !(name in properties) && !(`${name.replace(/\d+$/, '')}[n]` in properties),
  );
  const closed = schema.additionalProperties === false || schema.additionalProperties === 0;
  const required = Object.entries(properties).flatMap(([name, each]) =>
    each.requires !== undefined && value[name] !== undefined && value[each.requires] === undefined
      ? [`${below(name)}: requires ${each.requires}`]
      : [],
  );
  return [
    ...listed,
    ...required,
    ...(closed ? unlisted.map((name) => `${below(name)}: not in the schema`) : []),
  ];
}
