import type { Schema } from './contract.js';
import { expression, isNamedFormat, ofNamedFormat, propertiesOf } from './formats.js';

/** Where a value stands: what counts as the right type differs. */
export interface Reading {
  /** `query`: a text that is to be read as what it spells. `json`: as it is. */
  readonly from: 'query' | 'json';
  readonly product: 'pve' | 'pbs';
}

type Wrong = (what: string) => string[];

/** Where a value is not what the schema says; empty = it is. */
export function violations(schema: Schema, value: unknown, reading: Reading, at = ''): string[] {
  const wrong: Wrong = (what) => [`${at || '(value)'}: ${what}`];
  if (schema.type === 'null')
    return value === undefined || value === null ? [] : wrong(`${JSON.stringify(value)} instead of nothing`);
  if (value === undefined || value === null)
    return schema.optional || schema.type === undefined ? [] : wrong('missing');
  switch (schema.type) {
    case 'string':
      return text(schema, value, reading, at, wrong);
    case 'integer':
    case 'number':
      return number(schema, value, reading, wrong);
    case 'boolean':
      return isBoolean(value, reading) ? [] : wrong(`${JSON.stringify(value)} instead of boolean`);
    case 'array': {
      // A key that is given once spells a list of one.
      const items = Array.isArray(value) ? value : reading.from === 'query' ? [value] : null;
      if (!items) return wrong(`${typeof value} instead of array`);
      return items.flatMap((item, index) => violations(schema.items ?? {}, item, reading, `${at}[${index}]`));
    }
    case 'object':
      return isObject(value)
        ? object(schema, value, reading, at)
        : wrong(`${typeof value} instead of object`);
    case undefined:
      if (schema.enum) return text(schema, value, reading, at, wrong);
      return schema.properties && isObject(value) ? object(schema, value, reading, at) : [];
    default:
      return wrong(`the schema has the unknown type ${schema.type}`);
  }
}

/** PBS reads several words of a form as booleans, PVE these two; Perl writes any of the four into JSON. */
function isBoolean(value: unknown, { from, product }: Reading): boolean {
  if (product === 'pve') {
    if (from === 'query') return value === '0' || value === '1';
    return typeof value === 'boolean' || [0, 1, '0', '1', ''].includes(value as string | number);
  }
  if (from === 'query') return /^(?:0|1|on|off|yes|no|true|false)$/i.test(String(value));
  return typeof value === 'boolean';
}

function number({ type, minimum, maximum }: Schema, value: unknown, reading: Reading, wrong: Wrong) {
  const spelled = typeof value === 'string' && (reading.from === 'query' || reading.product === 'pve');
  const read = spelled && /^-?\d+(?:\.\d+)?$/.test(value) ? Number(value) : value;
  if (typeof read !== 'number') return wrong(`${JSON.stringify(value)} instead of ${type}`);
  if (type === 'integer' && !Number.isInteger(read)) return wrong(`${read} is no integer`);
  if (minimum !== undefined && read < Number(minimum)) return wrong(`${read} is below ${minimum}`);
  if (maximum !== undefined && read > Number(maximum)) return wrong(`${read} is above ${maximum}`);
  return [];
}

function text(schema: Schema, value: unknown, reading: Reading, at: string, wrong: Wrong): string[] {
  const { format, pattern, minLength, maxLength } = schema;
  const isPve = reading.product === 'pve';
  // PVE takes property strings apart before it gives them away.
  if (isPve && reading.from === 'json' && typeof format === 'object' && isObject(value))
    return object({ properties: propertiesOf(format) }, value, reading, at);
  const perl = isPve && reading.from === 'json' && typeof value === 'number';
  if (typeof value !== 'string' && !perl) return wrong(`${typeof value} instead of string`);
  const given = String(value);
  if (schema.enum && !schema.enum.map(String).includes(given))
    return wrong(`"${given}" is none of ${schema.enum.join(', ')}`);
  if (minLength !== undefined && given.length < minLength) return wrong(`"${given}" is too short`);
  if (maxLength !== undefined && given.length > maxLength) return wrong(`"${given}" is too long`);
  if (pattern !== undefined && !expression(pattern).test(given))
    return wrong(`"${given}" does not match ${pattern}`);
  if (format === undefined) return [];
  if (typeof format === 'string') {
    if (!isNamedFormat(format)) return wrong(`format ${format} is unknown here`);
    return ofNamedFormat(format, given) ? [] : wrong(`"${given}" is no ${format}`);
  }
  return propertyString(format, given, reading, at, wrong);
}

/** `a=1,b=2`, where the first part may stand without the key that the schema calls the default. */
function propertyString(format: Schema, given: string, reading: Reading, at: string, wrong: Wrong): string[] {
  const properties = propertiesOf(format);
  const first =
    typeof format.default_key === 'string'
      ? format.default_key
      : Object.keys(properties).find((name) => properties[name]?.default_key);
  const read: Record<string, string> = {};
  for (const [index, part] of partsOf(given).entries()) {
    const [, key, value] = /^([^=]+)=(.*)$/s.exec(part) ?? [];
    const name = key ?? (index === 0 ? first : undefined);
    if (name === undefined) return wrong(`"${part}" has no key`);
    read[name] = (key === undefined ? part : (value ?? '')).replace(/^"(.*)"$/s, '$1');
  }
  return object({ properties, additionalProperties: false }, read, { ...reading, from: 'query' }, at);
}

/** At commas, but not at those between quotation marks. */
const partsOf = (given: string): string[] => given.match(/(?:"(?:\\.|[^"\\])*"|[^,])+/gs) ?? [];

function object(schema: Schema, value: Record<string, unknown>, reading: Reading, at: string): string[] {
  const properties = schema.properties ?? {};
  const below = (name: string) => (at ? `${at}.${name}` : name);
  /** `net[n]` stands for net0, net1 … */
  const ofFamily = (name: string) => properties[`${name.replace(/\d+$/, '')}[n]`];
  const listed = Object.entries(properties)
    .filter(([name]) => !name.endsWith('[n]'))
    .flatMap(([name, each]) => violations(each, value[name], reading, below(name)));
  const unlisted = Object.keys(value).filter((name) => !(name in properties));
  const indexed = unlisted.flatMap((name) => {
    const family = ofFamily(name);
    return family ? violations(family, value[name], reading, below(name)) : [];
  });
  const unknown = unlisted.filter((name) => !ofFamily(name));
  const { additionalProperties: others } = schema;
  const extra = unknown.flatMap((name) => {
    if (others === false || others === 0) return [`${below(name)}: not in the schema`];
    return typeof others === 'object' ? violations(others, value[name], reading, below(name)) : [];
  });
  const required = Object.entries(properties).flatMap(([name, { requires }]) =>
    requires !== undefined && value[name] !== undefined && value[requires] === undefined
      ? [`${below(name)}: requires ${requires}`]
      : [],
  );
  return [...listed, ...indexed, ...required, ...extra];
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
