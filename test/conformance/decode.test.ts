import fc, { type Arbitrary } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import type { z } from 'zod';
import { pbsCtl } from '../support/in-process.js';
import { withLab } from '../support/lab.js';
import { type Contract, contract, contractsAreHere, type Schema, WHY_SKIPPED } from './contract.js';
import { DECODERS } from './decoders.js';
import { type Exchange, recordExchanges } from './exchanges.js';

/**
 * Marked optional in the published schema, which describes several kinds of entries at once, while the
 * server's own code gives them to every entry of the kind that is asked for.
 */
const ALWAYS_THERE: Readonly<Record<string, readonly string[]>> = {
  'pve GET /cluster/resources': ['type', 'vmid', 'node', 'status'],
  'pve GET /cluster/status': ['type', 'name', 'quorate', 'online'],
};

/**
 * What a server may send in place of an answer that was seen: optional fields missing, unknown ones added,
 * other members of an enumeration, PVE's several spellings of booleans and numbers.
 */
function variantsOf(product: 'pbs' | 'pve', kept: readonly string[]) {
  return variants;

  function variants(schema: Schema, value: unknown): Arbitrary<unknown> {
    if (Array.isArray(value)) {
      const item = schema.items ?? {};
      const shorter = value.length === 0 ? [] : [fc.array(variants(item, value[0]), { maxLength: 3 })];
      return fc.oneof(fc.tuple(...value.map((each) => variants(item, each))), fc.constant([]), ...shorter);
    }
    if (typeof value === 'object' && value !== null) return objects(schema, value as Record<string, unknown>);
    if (schema.enum && typeof value === 'string') return fc.constantFrom(...schema.enum);
    if (schema.type === 'boolean')
      return product === 'pve' ? fc.constantFrom<unknown>(0, 1, true, false) : fc.boolean();
    if (product === 'pve' && schema.type === 'integer' && typeof value === 'number')
      return fc.constantFrom<unknown>(value, String(value));
    return fc.constant(value);
  }

  function objects(schema: Schema, value: Record<string, unknown>): Arbitrary<unknown> {
    const absent: Array<[string, unknown]> = [];
    const fields = Object.entries(value).map(([name, each]) => {
      if (kept.includes(name)) return fc.constant<Array<[string, unknown]>>([[name, each]]);
      const known = schema.properties?.[name] ?? {};
      const present = variants(known, each).map((made): Array<[string, unknown]> => [[name, made]]);
      return known.optional ? fc.oneof(present, fc.constant(absent)) : present;
    });
    // Without listed properties the names are not fields but nodes, guests or paths.
    const extra = fc.constantFrom(
      absent,
      !schema.properties ? absent : [['field-of-a-later-version', { nested: [1] }]],
    ) as Arbitrary<Array<[string, unknown]>>;
    return fc.tuple(...fields, extra).map((parts) => Object.fromEntries(parts.flat()));
  }
}

const VERSIONS = [
  { pve: '8.4', pbs: '3.4' },
  { pve: '9.2', pbs: '4.2' },
] as const;

describe.skipIf(!contractsAreHere).each(VERSIONS)(
  `answers of PVE $pve and PBS $pbs (${contractsAreHere ? 'published schemas' : WHY_SKIPPED})`,
  (pair) => {
    const seen = new Map<string, { exchange: Exchange; schema: Schema; decoder: z.ZodType }>();
    beforeAll(() =>
      withLab({ ...pair, scenario: 'backup-running' }, async (lab) => {
        const contracts: Record<'pve' | 'pbs', Contract> = {
          pve: contract('pve', pair.pve),
          pbs: contract('pbs', pair.pbs),
        };
        const exchanges = recordExchanges(lab);
        await pbsCtl(['preflight', '--host', 'pbs01', '--config', lab.configPath]);
        await pbsCtl(['status', '--config', lab.configPath]);
        for (const exchange of exchanges) {
          const found = contracts[exchange.product].find(exchange.method, exchange.path);
          const decoder = found && DECODERS[exchange.product][found.name];
          if (found && decoder && exchange.status === 200)
            seen.set(`${exchange.product} ${found.name}`, {
              exchange,
              schema: found.endpoint.returns ?? {},
              decoder,
            });
        }
      }),
    );

    it('were seen of nearly every endpoint that has a decoder', () => {
      expect(seen.size).toBeGreaterThan(30);
    });

    it('are understood in every form that the schema allows', () => {
      const failures: string[] = [];
      for (const [name, { exchange, schema, decoder }] of seen) {
        const answers = variantsOf(exchange.product, ALWAYS_THERE[name] ?? [])(schema, exchange.answer?.data);
        const { failed, counterexample } = fc.check(
          fc.property(answers, (answer) => decoder.safeParse(answer).success),
          { numRuns: 100 },
        );
        if (!failed) continue;
        const why = decoder.safeParse(counterexample?.[0]).error?.issues[0];
        failures.push(
          `${name}: ${why?.path.join('.')} ${why?.message}: ${JSON.stringify(counterexample?.[0])}`,
        );
      }
      expect(failures).toEqual([]);
    });
  },
);
