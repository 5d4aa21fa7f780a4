import fc, { type Arbitrary } from 'fast-check';
import type { Schema } from './contract.js';
import { expression, propertiesOf } from './formats.js';
import { violations } from './schema.js';

type Product = 'pve' | 'pbs';

/**
 * Any answer that a schema allows, in every way in which that product's server may write it: optional fields
 * there or not, fields of later versions beside them, and from Perl numbers as text and booleans as it pleases.
 */
export function answersOf(schema: Schema, product: Product): Arbitrary<unknown> {
  switch (schema.type) {
    case 'null':
      return fc.constant(null);
    case 'boolean':
      return product === 'pve' ? fc.constantFrom<unknown>(0, 1, '0', '1', '', true, false) : fc.boolean();
    case 'integer':
    case 'number':
      return numbers(schema, product);
    case 'array':
      return fc.array(answersOf(schema.items ?? {}, product), { maxLength: 3 });
    case 'string':
      return texts(schema, product);
    case 'object':
      return objects(schema, product);
    default:
      if (schema.enum) return fc.constantFrom(...schema.enum);
      return schema.properties ? objects(schema, product) : fc.jsonValue();
  }
}

function numbers({ type, minimum, maximum }: Schema, product: Product): Arbitrary<unknown> {
  const min = Number(minimum ?? 0);
  const max = Number(maximum ?? 2 ** 52);
  const each: Arbitrary<number> =
    type === 'integer'
      ? fc.maxSafeInteger().map((any) => min + (Math.abs(any) % (max - min + 1)))
      : // What Perl and Rust print without an exponent.
        fc.integer({ min: 0, max: 1_000_000 }).map((any) => Math.min(max, Math.max(min, any / 1000)));
  return product === 'pve' ? each.chain((one) => fc.constantFrom<unknown>(one, String(one))) : each;
}

function texts(schema: Schema, product: Product): Arbitrary<unknown> {
  const { pattern, format, minLength = 0, maxLength = 200 } = schema;
  if (schema.enum) return fc.constantFrom(...schema.enum);
  if (typeof format === 'object') return propertyStrings(format, product);
  const any =
    pattern === undefined
      ? fc.string({ minLength, maxLength: Math.max(minLength, Math.min(maxLength, 60)) })
      : fc.stringMatching(expression(pattern));
  const plain: Schema = { ...schema };
  delete (plain as { format?: unknown }).format;
  return any.filter((text) => violations(plain, text, { from: 'json', product }).length === 0);
}

/** PBS gives them as they are stored, PVE mostly as objects. */
function propertyStrings(format: Schema, product: Product): Arbitrary<unknown> {
  const properties = propertiesOf(format);
  const parts = Object.entries(properties).map(([name, each]) => {
    const value = answersOf(each, 'pbs').filter((text) => !/[,"=]/.test(String(text)));
    const part = value.map((text) => `${name}=${String(text)}`);
    return each.optional ? fc.option(part) : part;
  });
  const spelled = fc.tuple(...parts).map((all) => all.filter((part) => part !== null).join(','));
  return product === 'pve' ? fc.oneof(spelled, objects({ properties }, product)) : spelled;
}

const LATER: Arbitrary<Record<string, unknown>> = fc.constantFrom<Record<string, unknown>>(
  {},
  { 'field-of-a-later-version': { nested: [1] } },
);

function objects(schema: Schema, product: Product): Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {}).filter(([name]) => !name.endsWith('[n]'));
  const fields = Object.fromEntries(
    properties.map(([name, each]) => {
      const value = answersOf(each, product);
      // Rust writes some absent values as null.
      return [name, each.optional && product === 'pbs' ? fc.option(value) : value];
    }),
  );
  const requiredKeys = properties.filter(([, { optional }]) => !optional).map(([name]) => name);
  const own = fc.record(fields, { requiredKeys });
  const { additionalProperties: others } = schema;
  const more = typeof others === 'object' ? fc.dictionary(fc.string(), answersOf(others, product)) : LATER;
  return fc.tuple(more, own).map(([rest, known]) => ({ ...rest, ...known }));
}
