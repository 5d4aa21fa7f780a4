import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { agentResult } from '../../src/api/agent.js';
import { Nothing } from '../../src/api/client.js';
import { DatastoreConfigs } from '../../src/api/pbs-answers.js';
import { NodeOverview } from '../../src/api/pve-answers.js';
import { LOOKS } from './client-requests.js';
import { contract, contractsAreHere, type Schema, VERSIONS, WHY_SKIPPED } from './contract.js';
import { DECODERS } from './decoders.js';
import { answersOf } from './generate.js';
import { AGENT_REFUSAL, AGENT_RESULTS, told } from './told-by-code.js';

const RUNS = 100;

/** What a decoder does not take, in its words; null = it takes whatever the schema allows. */
function refused(
  decoder: {
    safeParse(value: unknown): {
      success: boolean;
      error?: { issues: readonly { path: PropertyKey[]; message: string }[] };
    };
  },
  schema: Schema,
  product: 'pve' | 'pbs',
): string | null {
  const answers = answersOf(schema, product);
  const { failed, counterexample } = fc.check(
    fc.property(answers, (answer) => decoder.safeParse(answer).success),
    { numRuns: RUNS },
  );
  if (!failed) return null;
  const [issue] = decoder.safeParse(counterexample?.[0]).error?.issues ?? [];
  return `${issue?.path.join('.')} ${issue?.message}: ${JSON.stringify(counterexample?.[0])}`;
}

describe
  .skipIf(!contractsAreHere)
  .each([
    ...VERSIONS.pve.map((version) => ({ product: 'pve' as const, version })),
    ...VERSIONS.pbs.map((version) => ({ product: 'pbs' as const, version })),
  ])(
  `the decoders of $product $version (${contractsAreHere ? 'published schemas' : WHY_SKIPPED})`,
  ({ product, version }) => {
    const returnsOf = (name: string): Schema => {
      const published = contract(product, version).endpoints[name]?.returns;
      if (!published) throw new Error(`${product} ${version} has no ${name}`);
      return product === 'pve' ? told(name, published) : published;
    };
    it.each(
      Object.entries(DECODERS[product]).filter(([name]) => !(name in AGENT_RESULTS)),
    )('take every answer to %s', (name, decoder) => {
      expect(refused(decoder, returnsOf(name), product)).toBeNull();
    });
  },
);

describe('the decoders of what the guest agent says', () => {
  // The agent's own JSON comes through as it is: real booleans, real numbers.
  it.each(
    Object.entries(AGENT_RESULTS).filter(([name]) => name in DECODERS.pve),
  )('take every answer to %s', (name, schema) => {
    const whole: Schema = { type: 'object', properties: { result: schema } };
    const decoder = DECODERS.pve[name];
    expect(decoder && refused(decoder, whole, 'pbs')).toBeNull();
  });
  it('tell a refusal from a result', () => {
    const decoder = agentResult(Nothing);
    fc.assert(
      fc.property(answersOf(AGENT_REFUSAL, 'pbs'), (result) => {
        expect(decoder.parse({ result })).toHaveProperty('refused');
      }),
    );
  });
});

describe
  .skipIf(!contractsAreHere)
  .each([
    ...VERSIONS.pve.map((version) => ({ product: 'pve' as const, version })),
    ...VERSIONS.pbs.map((version) => ({ product: 'pbs' as const, version })),
  ])('the decoders of what doctor and init ask of $product $version', ({ product, version }) => {
  it.each(LOOKS[product].map((look) => [look.path, look] as const))('take every answer to %s', (path, {
    answer,
  }) => {
    const found = contract(product, version).find('GET', path);
    const result = product === 'pve' ? AGENT_RESULTS[found?.name ?? ''] : undefined;
    // The agent's own JSON comes through as it is.
    if (result) return expect(refused(answer, { type: 'object', properties: { result } }, 'pbs')).toBeNull();
    const published = found?.endpoint.returns ?? {};
    expect(
      refused(answer, product === 'pve' ? told(found?.name ?? '', published) : published, product),
    ).toBeNull();
  });
});

describe.skipIf(!contractsAreHere)('the decoders of what is asked for in a second way', () => {
  it.each([...VERSIONS.pve])('take every list of the nodes of PVE %s', (version) => {
    const published =
      contract('pve', version).endpoints['GET /cluster/resources']?.returns?.items?.properties ?? {};
    const needed = ['node', 'status'];
    const properties = Object.fromEntries(
      Object.entries(published).map(([name, each]) => [
        name,
        needed.includes(name) ? { ...each, optional: 0 as const } : each,
      ]),
    );
    expect(
      refused(z.array(NodeOverview), { type: 'array', items: { type: 'object', properties } }, 'pve'),
    ).toBeNull();
  });
  it.each([
    ...VERSIONS.pbs,
  ])('take every list of configs of datastores of PBS %s, with the digest beside it', (version) => {
    const data = contract('pbs', version).endpoints['GET /config/datastore']?.returns ?? {};
    const digest: Schema = { type: 'string', pattern: '/^[a-f0-9]{64}$/' };
    expect(refused(DatastoreConfigs, { type: 'object', properties: { data, digest } }, 'pbs')).toBeNull();
  });
});
