import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Lab } from '../../src/lab/lab.js';
import { startLab } from '../../src/lab/lab.js';
import type { Parameter } from '../../src/lab/parameters.js';
import { matchPath } from '../../src/lab/parameters.js';
import { type Caller, callerOf } from './caller.js';
import { everyRequest } from './client-requests.js';
import { type Contract, contract, contractsAreHere, type Schema, WHY_SKIPPED } from './contract.js';
import { demandsOf } from './permissions.js';
import { pathOf, samplesOf } from './samples.js';
import { violations } from './schema.js';

const EVERY = [
  { pve: '8.4', pbs: '3.4' },
  { pve: '8.4', pbs: '4.0' },
  { pve: '9.2', pbs: '4.1' },
  { pve: '9.2', pbs: '4.2' },
] as const;

/** Which of the lab's types say the same as the schema's. */
const TYPES: Readonly<Record<Parameter['type'], readonly string[]>> = {
  string: ['string'],
  integer: ['integer', 'number'],
  boolean: ['boolean'],
  array: ['array'],
};

/** How the lab takes a parameter differently from the schema; it may refuse more, never accept more. */
function differences(name: string, played: Parameter, published: Schema | undefined): string[] {
  if (!published) return [`${name}: not in the schema`];
  const found: string[] = [];
  if (!TYPES[played.type].includes(published.type ?? ''))
    found.push(`${name}: ${played.type}, not ${published.type}`);
  if (played.optional && !published.optional) found.push(`${name}: must be given`);
  if (published.enum) {
    const more = (played.values ?? ['(any text)']).filter((value) => !published.enum?.includes(value));
    if (more.length > 0) found.push(`${name}: takes ${more.join(', ')}`);
  }
  return found;
}

describe.skipIf(!contractsAreHere).each(EVERY)(
  `the lab that plays PVE $pve and PBS $pbs (${contractsAreHere ? 'published schemas' : WHY_SKIPPED})`,
  ({ pve, pbs }) => {
    let lab: Lab;
    let sample: Awaited<ReturnType<typeof samplesOf>>;
    const callers = new Map<'pve' | 'pbs', Caller>();
    const contracts = new Map<'pve' | 'pbs', Contract>();
    beforeAll(async () => {
      lab = await startLab({ pve, pbs, factor: 1000 });
      const host = lab.hosts.get('pbs01');
      for (const kind of ['prune', 'sync', 'tape'] as const)
        host?.jobs.push({ kind, id: `${kind}-1`, store: 'tank', schedule: 'daily', nextRun: 2_000_000_000 });
      if (host?.datastores[1]) host.datastores[1].maintenance = 'offline,message=away';
      const vm = lab.cluster.guests.get(900);
      if (vm) vm.config.serial0 = 'socket';
      sample = await samplesOf(lab);
      for (const product of ['pve', 'pbs'] as const) callers.set(product, callerOf(lab, product));
      if (contractsAreHere) {
        contracts.set('pve', contract('pve', pve));
        contracts.set('pbs', contract('pbs', pbs));
      }
      // What the set for a run does not need, and the lab plays nevertheless.
      lab.cluster.access.grant('/', ['Sys.Modify']);
      lab.cluster.access.grant('/vms', ['VM.Audit', 'VM.Config.Options', 'VM.PowerMgmt']);
      lab.cluster.access.grant('/vms/900', ['VM.PowerMgmt', 'VM.Console']);
      host?.access.grant('/system/services/chrony', ['Sys.Modify']);
    });
    afterAll(async () => {
      for (const caller of callers.values()) await caller.close();
      await lab.stop();
    });

    // Users and tokens are not in the published extracts.
    const routes = () =>
      [
        ...lab.cluster.routes.map((route) => ({ product: 'pve' as const, route })),
        ...(lab.hosts.get('pbs01')?.routes ?? []).map((route) => ({ product: 'pbs' as const, route })),
      ].filter(({ route }) => !route.path.startsWith('/access/users'));
    const published = (product: 'pve' | 'pbs', method: string, path: string) => {
      const values = sample(product, method, path);
      return { values, found: contracts.get(product)?.find(method, pathOf(path, values)) ?? null };
    };

    it('has no endpoint that this version has not', () => {
      const unknown = routes().filter(
        ({ product, route }) => !published(product, route.method, route.path).found,
      );
      expect(unknown.map(({ product, route }) => `${product} ${route.method} ${route.path}`)).toEqual([]);
    });

    it('takes no parameter that this version does not take', () => {
      const wrong = routes().flatMap(({ product, route }) => {
        const { found } = published(product, route.method, route.path);
        const properties = found?.endpoint.parameters?.properties ?? {};
        const missing = Object.entries(properties)
          .filter(([name, { optional }]) => !optional && !(name in (found?.inPath ?? {})))
          .filter(([name]) => route.params?.[name] === undefined)
          .map(([name]) => `${name}: not demanded`);
        const odd = Object.entries(route.params ?? {}).flatMap(([name, each]) =>
          differences(name, each, properties[name]),
        );
        return [...missing, ...odd].map((each) => `${product} ${found?.name}: ${each}`);
      });
      expect(wrong).toEqual([]);
    });

    it('demands the privileges that this version demands', () => {
      const wrong = routes().flatMap(({ product, route }) => {
        const { found, values } = published(product, route.method, route.path);
        if (!found) return [];
        const ways = demandsOf(found.endpoint, product, { ...values, ...found.inPath });
        const [demand, ...more] = ways?.[0] ?? [];
        if (ways?.length !== 1 || more.length > 0) return [`${product} ${found.name}: no single demand`];
        const played = typeof route.needs === 'function' ? route.needs(values) : null;
        const is = played ? `${played[1].toSorted().join('|')} on ${played[0]}` : 'nothing';
        const should = demand ? `${demand.privileges.toSorted().join('|')} on ${demand.path}` : 'nothing';
        return is === should ? [] : [`${product} ${found.name}: ${is} instead of ${should}`];
      });
      expect(wrong).toEqual([]);
    });

    it('answers every request as the schema says', { timeout: 120_000 }, async () => {
      // Reading first, and last what takes the machine down.
      const rank = ({ method, path }: { method: string; path: string }) =>
        method === 'GET' ? 0 : !/\/status(?:\/\w+)?$/.test(path) ? 1 : path.includes('localhost') ? 2 : 3;
      // A websocket answers with frames.
      const all = routes()
        .filter(({ route }) => !route.path.endsWith('/vncwebsocket'))
        .toSorted((a, b) => rank(a.route) - rank(b.route));
      const wrong: string[] = [];
      for (const { product, route } of all) {
        const { values, found } = published(product, route.method, route.path);
        const inPath = new Set([...route.path.matchAll(/\{([\w-]+)\}/g)].map(([, name]) => name));
        const parameters = Object.fromEntries(Object.entries(values).filter(([name]) => !inPath.has(name)));
        const caller = callers.get(product);
        const answer = await caller?.ask(route.method, pathOf(route.path, values), parameters);
        const name = `${product} ${route.method} ${route.path}`;
        if (answer?.status !== 200) wrong.push(`${name}: ${answer?.status} ${answer?.body.toString('utf8')}`);
        else
          wrong.push(
            ...violations(found?.endpoint.returns ?? {}, answer.data ?? null, { from: 'json', product }).map(
              (each) => `${name}: ${each}`,
            ),
          );
      }
      expect(wrong).toEqual([]);
      if (process.env.PBS_CTL_COUNT)
        console.log(`PVE ${pve}, PBS ${pbs}: ${all.length} endpoints of the lab`);
    });
  },
);

it('the lab plays every endpoint that the clients can ask', async () => {
  const lab = await startLab({ factor: 1000 });
  const plays = (product: 'pve' | 'pbs', method: string, path: string) =>
    (product === 'pve' ? lab.cluster.routes : (lab.hosts.get('pbs01')?.routes ?? [])).some(
      (route) => route.method === method && matchPath(route.path, path),
    );
  const sent = await everyRequest({ pve: '9.2', pbs: '4.2' });
  const missing = sent.filter(({ product, method, path }) => !plays(product, method, path));
  await lab.stop();
  expect(missing.map(({ product, method, path }) => `${product} ${method} ${path}`)).toEqual([]);
});
