import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import type { Lab, LabOptions } from '../../src/lab/lab.js';
import { pbsCtl } from '../support/in-process.js';
import { withLab } from '../support/lab.js';
import { type Contract, contract, contractsAreHere, type Schema, WHY_SKIPPED } from './contract.js';
import { type Exchange, recordExchanges } from './exchanges.js';
import { violations } from './schema.js';

type Pair = { readonly pve: '8.4' | '9.2'; readonly pbs: '3.4' | '4.0' | '4.1' | '4.2' };
const NEWEST: readonly Pair[] = [{ pve: '9.2', pbs: '4.2' }];
const OTHERS: readonly Pair[] = [
  { pve: '8.4', pbs: '3.4' },
  { pve: '8.4', pbs: '4.0' },
  { pve: '9.2', pbs: '4.1' },
];
/** The newest; all of them with `npm run test:matrix`. */
const PAIRS = process.env.PBS_CTL_LAB ? [...NEWEST, ...OTHERS] : NEWEST;

async function exchangesOf(
  options: LabOptions,
  act: (lab: Lab, config: string[]) => Promise<unknown>,
): Promise<Exchange[]> {
  return withLab(options, async (lab) => {
    const exchanges = recordExchanges(lab);
    await act(lab, ['--config', lab.configPath]);
    return exchanges;
  });
}

/** Every command that sends requests, against a lab of these versions. */
async function everything({ pve, pbs }: Pair): Promise<Exchange[]> {
  const main = exchangesOf({ pve, pbs }, async (lab, config) => {
    await pbsCtl(['status', ...config]);
    await pbsCtl(['preflight', '--host', 'pbs01', ...config]);
    await pbsCtl(['lock', 'acquire', '--cluster', 'main', '--owner', 'x', ...config]);
    await pbsCtl(['lock', 'release', '--cluster', 'main', '--owner', 'x', ...config]);
    await pbsCtl(['patch', '--host', 'pbs01', ...config]);
    await pbsCtl(['verify', '--host', 'pbs01', ...config]);
    const registered = JSON.parse(readFileSync(lab.configPath, 'utf8'));
    registered.clusters.main.lock = { store: 'registered-tag' };
    registered.policy.requestTimeout = '500ms';
    writeFileSync(lab.configPath, JSON.stringify(registered));
    lab.cluster.access.grant('/', ['Sys.Modify']);
    await pbsCtl(['lock', 'acquire', '--cluster', 'main', '--owner', 'x', ...config]);
    await pbsCtl(['lock', 'release', '--cluster', 'main', '--owner', 'x', ...config]);
  });
  const others = ['upgrade-by-service', 'backup-running', 'agent-down', 'guest-migrating'].map((scenario) =>
    exchangesOf({ pve, pbs, scenario }, (_, config) => pbsCtl(['patch', '--host', 'pbs01', ...config])),
  );
  return (await Promise.all([main, ...others])).flat();
}

describe.skipIf(!contractsAreHere).each(PAIRS)(
  `on PVE $pve and PBS $pbs (${contractsAreHere ? 'published schemas' : WHY_SKIPPED})`,
  (pair) => {
    it('every request is valid, and every answer of the lab too', { timeout: 240_000 }, async () => {
      const contracts: Record<'pve' | 'pbs', Contract> = {
        pve: contract('pve', pair.pve),
        pbs: contract('pbs', pair.pbs),
      };
      const exchanges = await everything(pair);
      const problems = new Map<string, number>();
      const note = (problem: string) => problems.set(problem, (problems.get(problem) ?? 0) + 1);
      let answers = 0;
      for (const { product, method, path, parameters, from, status, answer } of exchanges) {
        const found = contracts[product].find(method, path);
        if (!found) {
          note(`${product} ${method} ${path}: no such endpoint`);
          continue;
        }
        const { name, endpoint, inPath } = found;
        if (endpoint.allowtoken === false) note(`${product} ${name}: refuses tokens`);
        const schema = { type: 'object', ...endpoint.parameters } as Schema;
        for (const each of violations(schema, { ...inPath, ...parameters }, { from, product }))
          note(`${product} ${name}: request: ${each}`);
        if (status !== 200 || !endpoint.returns) continue;
        answers += 1;
        for (const each of violations(endpoint.returns, answer?.data ?? null, { from: 'json', product }))
          note(`${product} ${name}: answer: ${each.replace(/\[\d+\]/g, '[]')}`);
      }
      if (process.env.PBS_CTL_COUNT)
        console.log(`PVE ${pair.pve}, PBS ${pair.pbs}: ${exchanges.length} requests, ${answers} answers`);
      expect(exchanges.length).toBeGreaterThan(300);
      expect([...problems.keys()].sort()).toEqual([]);
    });
  },
);
