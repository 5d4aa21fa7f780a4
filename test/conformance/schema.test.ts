import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contract, contractsAreHere, type Schema, VERSIONS } from './contract.js';
import { expression } from './formats.js';
import { type Reading, violations } from './schema.js';

const query = (product: Reading['product']): Reading => ({ from: 'query', product });
const json = (product: Reading['product']): Reading => ({ from: 'json', product });
const isWrong = (schema: Schema, value: unknown, reading: Reading) =>
  violations(schema, value, reading).length > 0;

describe('the reader of published schemas', () => {
  const tasks: Schema = {
    type: 'object',
    additionalProperties: 0,
    properties: {
      node: { type: 'string', format: 'pve-node' },
      limit: { type: 'integer', minimum: 0, maximum: 10, optional: 1 },
      errors: { type: 'boolean', optional: 1 },
      until: { type: 'integer', optional: 1, requires: 'limit' },
      'net[n]': { type: 'string', optional: 1, pattern: 'virtio\\d*' },
    },
  };
  it.each([
    ['a missing parameter', {}],
    ['one that the schema does not name', { node: 'pve1', max: '1' }],
    ['a text where a number belongs', { node: 'pve1', limit: 'all' }],
    ['a number beyond its limits', { node: 'pve1', limit: '11' }],
    ['a fraction where an integer belongs', { node: 'pve1', limit: '1.5' }],
    ['a name with a dot where a node belongs', { node: 'pve1.example' }],
    ['a parameter without the one that it requires', { node: 'pve1', until: '1' }],
    ['a member of a numbered family that does not match', { node: 'pve1', net0: 'e1000' }],
    ['a list where one value belongs', { node: ['pve1', 'pve2'] }],
    ['"true", which PVE does not take for a boolean', { node: 'pve1', errors: 'true' }],
  ])('finds %s', (_, value) => {
    expect(isWrong(tasks, value, query('pve'))).toBe(true);
  });
  it('accepts what is right', () => {
    const value = { node: 'pve1', limit: '3', errors: '1', until: '9', net3: 'virtio1' };
    expect(violations(tasks, value, query('pve'))).toEqual([]);
  });
  it('knows that PBS takes words for booleans in a form, but not in JSON', () => {
    expect(isWrong({ type: 'boolean' }, 'yes', query('pbs'))).toBe(false);
    expect(isWrong({ type: 'boolean' }, 1, json('pbs'))).toBe(true);
    expect(isWrong({ type: 'boolean' }, 1, json('pve'))).toBe(false);
  });
  it('knows that Perl may write numbers as text, and Rust may not', () => {
    expect(isWrong({ type: 'integer' }, '3', json('pve'))).toBe(false);
    expect(isWrong({ type: 'integer' }, '3', json('pbs'))).toBe(true);
  });
  it('finds an answer where none is due', () => {
    expect(isWrong({ type: 'null' }, 'UPID:…', json('pbs'))).toBe(true);
    expect(isWrong({ type: 'null' }, null, json('pbs'))).toBe(false);
  });
  it('takes property strings apart, at their commas and not at quoted ones', () => {
    const mode: Schema = {
      type: 'string',
      format: {
        type: 'object',
        default_key: 'type',
        properties: {
          type: { type: 'string', enum: ['read-only', 'offline'] },
          message: { type: 'string', optional: 1, maxLength: 9 },
        },
      },
    };
    const wrongs = (value: string) => violations(mode, value, query('pbs'));
    expect(wrongs('read-only')).toEqual([]);
    expect(wrongs('type=offline,message="a, b"')).toEqual([]);
    expect(wrongs('message=patching')).not.toEqual([]);
    expect(wrongs('type=closed')).not.toEqual([]);
    expect(wrongs('read-only,message=longer than nine')).not.toEqual([]);
    expect(wrongs('read-only,why=x')).not.toEqual([]);
  });
  it('fails for a format that it does not know, instead of passing it', () => {
    expect(isWrong({ type: 'string', format: 'x-unheard-of' }, 'a', query('pve'))).toBe(true);
  });
  it('reads the expressions of Rust and of Perl', () => {
    expect(expression('/^[[:^cntrl:]]*$/').test('a\nb')).toBe(false);
    expect(expression('(?^i:[a-z]+)').test('ABC')).toBe(true);
    expect(expression('\\d{,2}').test('123')).toBe(false);
  });
  it('never takes two different enumerations for the same', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.string({ minLength: 1 }), { minLength: 2 }), ([odd = '', ...members]) => {
        expect(isWrong({ type: 'string', enum: members }, odd, query('pbs'))).toBe(true);
      }),
    );
  });
});

describe.skipIf(!contractsAreHere)('every expression of the published schemas', () => {
  it.each([
    ...VERSIONS.pve.map((v) => ['pve', v] as const),
    ...VERSIONS.pbs.map((v) => ['pbs', v] as const),
  ])('of %s %s can be read', (product, version) => {
    const patterns = new Set<string>();
    JSON.stringify(contract(product, version).endpoints, (key, value) => {
      if (key === 'pattern' && typeof value === 'string') patterns.add(value);
      return value;
    });
    expect(patterns.size).toBeGreaterThan(5);
    for (const pattern of patterns) expect(() => expression(pattern)).not.toThrow();
  });
});
