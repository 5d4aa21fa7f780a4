import { describe, expect, it } from 'vitest';
import { everyRequest, type Sent } from './client-requests.js';
import { contract, contractsAreHere, type Schema, VERSIONS, WHY_SKIPPED } from './contract.js';
import { violations } from './schema.js';

/** The newest of the other product: what is asked of one does not depend on the other's version. */
const EVERY = [
  ...VERSIONS.pve.map((version) => ({ product: 'pve' as const, version })),
  ...VERSIONS.pbs.map((version) => ({ product: 'pbs' as const, version })),
];
const requestsTo = async (product: 'pve' | 'pbs', version: string): Promise<Sent[]> => {
  const all = await everyRequest({ pve: '9.2', pbs: '4.2', [product]: version });
  return all.filter((each) => each.product === product);
};

describe.skipIf(!contractsAreHere).each(EVERY)(
  `every method of the client of $product $version (${contractsAreHere ? 'published schemas' : WHY_SKIPPED})`,
  ({ product, version }) => {
    it('sends what that version takes, to endpoints that are open to tokens', async () => {
      const published = contract(product, version);
      const requests = await requestsTo(product, version);
      const wrong = requests.flatMap(({ method, path, parameters, from }) => {
        const found = published.find(method, path);
        if (!found) return [`${method} ${path}: no such endpoint`];
        const { name, endpoint, inPath } = found;
        const schema = { type: 'object', ...endpoint.parameters } as Schema;
        return [
          ...(endpoint.allowtoken === false ? [`${name}: refuses tokens`] : []),
          ...violations(schema, { ...inPath, ...parameters }, { from, product }).map(
            (each) => `${name}: ${each}`,
          ),
        ];
      });
      expect(wrong).toEqual([]);
      const endpoints = new Set(requests.map(({ method, path }) => published.find(method, path)?.name));
      if (process.env.PBS_CTL_COUNT)
        console.log(`${product} ${version}: ${requests.length} requests to ${endpoints.size} endpoints`);
      expect(endpoints.size).toBeGreaterThan(20);
    });
  },
);

describe('what came with a later version', () => {
  it('is not asked of an earlier one: `sync-direction` came with PBS 3.3', async () => {
    const ofSync = async (version: string) =>
      (await requestsTo('pbs', version)).filter(({ path }) => path === '/admin/sync');
    for (const { parameters } of await ofSync('3.2')) expect(parameters).toEqual({});
    for (const { parameters } of await ofSync('3.4')) expect(parameters).toEqual({ 'sync-direction': 'all' });
  });
});
