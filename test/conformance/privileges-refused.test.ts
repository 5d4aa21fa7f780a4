import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Access } from '../../src/lab/access.js';
import { type Lab, startLab } from '../../src/lab/lab.js';
import { type Caller, callerOf } from './caller.js';
import { pathOf, samplesOf } from './samples.js';

const PAIRS = [
  { pve: '8.4', pbs: '3.4' },
  { pve: '9.2', pbs: '4.2' },
] as const;

describe.each(PAIRS)('the lab that plays PVE $pve and PBS $pbs', ({ pve, pbs }) => {
  let lab: Lab;
  let sample: Awaited<ReturnType<typeof samplesOf>>;
  const callers = new Map<'pve' | 'pbs', Caller>();
  beforeAll(async () => {
    lab = await startLab({ pve, pbs, factor: 1000 });
    sample = await samplesOf(lab);
    for (const product of ['pve', 'pbs'] as const) callers.set(product, callerOf(lab, product));
  });
  afterAll(async () => {
    for (const caller of callers.values()) await caller.close();
    await lab.stop();
  });

  const accessOf = (product: 'pve' | 'pbs'): Access => {
    const access = product === 'pve' ? lab.cluster.access : lab.hosts.get('pbs01')?.access;
    if (!access) throw new Error('no such host');
    return access;
  };
  const ask = async (product: 'pve' | 'pbs', method: string, path: string, more = {}) => {
    const values = sample(product, method, path);
    const inPath = new Set([...path.matchAll(/\{([\w-]+)\}/g)].map(([, name]) => name));
    const parameters = Object.fromEntries(Object.entries(values).filter(([name]) => !inPath.has(name)));
    const answer = await callers.get(product)?.ask(method, pathOf(path, values), { ...parameters, ...more });
    if (!answer) throw new Error('no caller');
    return answer;
  };

  it('refuses each request whose privilege was taken away, with the words of the server', async () => {
    // Users and tokens are not in the published extracts.
    const routes = [
      ...lab.cluster.routes.map((route) => ({ product: 'pve' as const, route })),
      ...(lab.hosts.get('pbs01')?.routes ?? []).map((route) => ({ product: 'pbs' as const, route })),
    ].filter(({ route }) => !route.path.startsWith('/access/users'));
    let refused = 0;
    for (const { product, route } of routes) {
      const needs =
        typeof route.needs === 'function' ? route.needs(sample(product, route.method, route.path)) : null;
      if (!needs) continue;
      const [path, anyOf] = needs;
      const access = accessOf(product);
      const held = anyOf.filter((privilege) => access.has(path, privilege));
      for (const privilege of held) access.deny(path, privilege);
      const { status, body } = await ask(product, route.method, route.path);
      access.grant(path, held);
      const name = `${product} ${route.method} ${route.path}`;
      expect({ name, status }).toEqual({ name, status: 403 });
      expect(body.toString('utf8')).toContain(
        product === 'pbs'
          ? 'permission check failed'
          : `Permission check failed (${path}, ${anyOf.join('|')})`,
      );
      refused += 1;
    }
    expect(refused).toBeGreaterThan(30);
  });

  /** Where the endpoint is open to all and its handler leaves out what the caller may not see. */
  const FILTERED: ReadonlyArray<
    readonly [product: 'pve' | 'pbs', path: string, privilege: string, at: string, gone: string]
  > = [
    ['pve', '/cluster/resources', 'VM.Audit', '/vms/900', '"vmid":900'],
    ['pve', '/cluster/tasks', 'Sys.Audit', '/', '"type":"vzdump"'],
    ['pve', '/nodes/{node}/tasks', 'Sys.Audit', '/nodes/pve1', '"type":"vzdump"'],
    ['pve', '/storage', 'Datastore.Audit', '/storage/pbs01-tank', 'pbs01-tank'],
    ['pve', '/cluster/backup/{id}/included_volumes', 'VM.Audit', '/vms/900', '"id":900'],
    ['pve', '/cluster/options', 'Sys.Audit', '/', '"registered-tags"'],
    ['pbs', '/nodes/localhost/tasks', 'Sys.Audit', '/system/tasks', '"worker_type":"backup"'],
    ['pbs', '/admin/datastore', 'Datastore.Audit', '/datastore/vault', 'vault'],
    ['pbs', '/status/datastore-usage', 'Datastore.Audit', '/datastore/vault', 'vault'],
    ['pbs', '/config/datastore', 'Datastore.Audit', '/datastore/vault', 'vault'],
    ['pbs', '/admin/gc', 'Datastore.Audit', '/datastore/vault', 'vault'],
    ['pbs', '/admin/prune', 'Datastore.Audit', '/datastore/vault', 'prune-1'],
    ['pbs', '/admin/verify', 'Datastore.Audit', '/datastore/vault', 'verify-1'],
    ['pbs', '/admin/sync', 'Remote.Audit', '/remote/elsewhere', 'sync-1'],
    ['pbs', '/tape/backup', 'Tape.Audit', '/tape/job/tape-1', 'tape-1'],
  ];
  it.each(
    FILTERED,
  )('leaves out of %s %s what is not to be seen without %s on %s', async (product, path, privilege, at, gone) => {
    const host = lab.hosts.get('pbs01');
    lab.cluster.registeredTags = ['reserved'];
    if (host)
      host.jobs = [
        ...host.jobs.filter(({ kind }) => kind === 'gc'),
        ...(['prune', 'verify', 'sync', 'tape'] as const).map((kind) => ({
          kind,
          id: `${kind}-1`,
          store: 'vault',
          schedule: 'daily',
          nextRun: 2_000_000_000,
        })),
      ];
    const access = accessOf(product);
    const more = path.endsWith('{node}/tasks') ? { source: 'active' } : {};
    expect((await ask(product, 'GET', path, more)).body.toString('utf8')).toContain(gone);
    const instead = [...access.effective(at).keys()].filter((each) =>
      /^Datastore\.(?:Backup|Modify|Verify)$/.test(each),
    );
    const held = [privilege, ...instead];
    for (const each of held) access.deny(at, each);
    const { status, body } = await ask(product, 'GET', path, more);
    access.grant(at, held);
    expect(status).toBe(200);
    expect(body.toString('utf8')).not.toContain(gone);
  });
});
