import { optional, text } from '../parameters.js';
import { DIFFERENCES } from './differences.js';
import type { PbsHost, PbsJob, SimulatedDatastore } from './host.js';
import { PbsError, type PbsRoute, WithAttributes } from './server.js';

const ofStore = { store: optional(text) };

const REMOTE = 'elsewhere';
/** Which privileges a token must have on which paths to be told of a job. */
const SEEN_BY: Readonly<
  Record<PbsJob['kind'], (job: PbsJob) => ReadonlyArray<readonly [path: string, anyOf: readonly string[]]>>
> = {
  gc: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Modify']]],
  prune: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Modify']]],
  verify: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Verify']]],
  sync: ({ store }) => [
    [`/datastore/${store}`, ['Datastore.Audit']],
    [`/remote/${REMOTE}`, ['Remote.Audit']],
  ],
  tape: ({ id }) => [[`/tape/job/${id}`, ['Tape.Audit']]],
};

const MODE = /^(?:type=)?(read-only|offline)(?:,message=(.*))?$/;

/** Datastores, their maintenance modes, and the jobs on them. */
export function datastoreRoutes(host: PbsHost): PbsRoute[] {
  const { access, machine } = host;
  const audits = (name: string) =>
    access.has(`/datastore/${name}`, 'Datastore.Audit') ||
    access.has(`/datastore/${name}`, 'Datastore.Backup');
  const visible = () => host.datastores.filter(({ name }) => audits(name));
  const audit = (params: Readonly<Record<string, unknown>>) =>
    [`/datastore/${params.name}`, ['Datastore.Audit']] as const;
  const kindOf = () => (DIFFERENCES[host.version].tellsBackend ? { 'backend-type': 'filesystem' } : {});
  const store = (params: Readonly<Record<string, unknown>>): SimulatedDatastore => {
    const found = host.datastores.find(({ name }) => name === params.name);
    if (!found) throw new PbsError(`no such datastore '${params.name}'`);
    return found;
  };
  const jobs = (kind: PbsJob['kind']) =>
    host.jobs.filter(
      (job) =>
        job.kind === kind &&
        SEEN_BY[kind](job).every(([path, anyOf]) => anyOf.some((each) => access.has(path, each))),
    );
  const jobList = (path: string, kind: PbsJob['kind'], params: PbsRoute['params'] = {}): PbsRoute => ({
    method: 'GET',
    path,
    params,
    needs: null,
    handle: () =>
      jobs(kind).map(({ id, store: at, schedule, nextRun }) => ({
        id,
        store: at,
        schedule,
        'next-run': nextRun,
        ...(kind === 'sync' ? { remote: REMOTE, 'remote-store': 'far' } : {}),
        ...(kind === 'tape' ? { pool: 'weekly', drive: 'lto8' } : {}),
      })),
  });
  return [
    {
      method: 'GET',
      path: '/admin/datastore',
      needs: null,
      handle: () =>
        visible().map(({ name, maintenance }) => ({
          store: name,
          comment: null,
          'mount-status': 'nonremovable',
          ...(maintenance ? { maintenance } : {}),
          ...kindOf(),
        })),
    },
    {
      method: 'GET',
      path: '/status/datastore-usage',
      needs: null,
      handle: async () => {
        const mounts = await machine.mounts();
        const seen = visible().map(async (datastore) => {
          const base = { store: datastore.name, 'mount-status': 'nonremovable', ...kindOf() };
          const error = await host.problemOf(datastore);
          if (error) return { ...base, error };
          const mount = mounts.find(
            ({ path }) => datastore.path === path || datastore.path.startsWith(`${path}/`),
          );
          const [total, used] = [mount?.total ?? 0, mount?.used ?? 0];
          return {
            ...base,
            total,
            used,
            avail: total - used,
            'gc-status': { upid: null, ...NO_GARBAGE },
          };
        });
        return Promise.all(seen);
      },
    },
    {
      method: 'GET',
      path: '/admin/datastore/{name}/active-operations',
      needs: audit,
      handle: ({ params }) => {
        const { name } = store(params);
        const using = host.running().filter((task) => task.store === name);
        return {
          read: using.filter((task) => task.access === 'read').length,
          write: using.filter((task) => task.access === 'write').length,
        };
      },
    },
    {
      method: 'GET',
      path: '/config/datastore',
      needs: null,
      handle: () => new WithAttributes(visible().map(config), { digest: host.digest() }),
    },
    {
      method: 'GET',
      path: '/config/datastore/{name}',
      needs: audit,
      handle: ({ params }) => new WithAttributes(config(store(params)), { digest: host.digest() }),
    },
    {
      method: 'PUT',
      path: '/config/datastore/{name}',
      params: {
        'maintenance-mode': optional(text),
        delete: optional({ type: 'array' }),
        digest: optional(text),
        comment: optional(text),
      },
      needs: (params) => [`/datastore/${params.name}`, ['Datastore.Modify']],
      daemon: true,
      handle: ({ params }) => {
        const datastore = store(params);
        if (params.digest !== undefined && params.digest !== host.digest())
          throw new PbsError('detected modified configuration - file changed by other user? Try again.');
        if ([params.delete].flat().includes('maintenance-mode')) {
          datastore.maintenance = null;
          host.record.event('maintenance-cleared', host.name, { datastore: datastore.name });
        }
        if (params['maintenance-mode'] !== undefined)
          setMode(host, datastore, String(params['maintenance-mode']));
      },
    },
    {
      method: 'GET',
      path: '/admin/gc',
      params: { store: optional(text) },
      needs: null,
      handle: () =>
        visible().map(({ name }) => {
          const job = jobs('gc').find((each) => each.store === name);
          return {
            store: name,
            upid: null,
            ...NO_GARBAGE,
            ...(job ? { schedule: job.schedule, 'next-run': job.nextRun } : {}),
          };
        }),
    },
    jobList('/admin/prune', 'prune', ofStore),
    jobList('/admin/verify', 'verify', ofStore),
    jobList('/admin/sync', 'sync', {
      ...ofStore,
      'sync-direction': optional({ type: 'string', values: ['pull', 'push', 'all'] }),
    }),
    jobList('/tape/backup', 'tape'),
  ];
}

/** The figures of a garbage collection that has not run yet. */
const NO_GARBAGE = {
  'index-file-count': 0,
  'index-data-bytes': 0,
  'disk-bytes': 0,
  'disk-chunks': 0,
  'removed-bytes': 0,
  'removed-chunks': 0,
  'pending-bytes': 0,
  'pending-chunks': 0,
  'removed-bad': 0,
  'still-bad': 0,
};

const config = ({ name, path, maintenance }: SimulatedDatastore) => ({
  name,
  path,
  ...(maintenance ? { 'maintenance-mode': maintenance } : {}),
});

/** Stored without `type=`; a comma in the message makes the write fail. */
function setMode(host: PbsHost, datastore: SimulatedDatastore, text: string): void {
  const match = MODE.exec(text);
  const message = match?.[2]?.replace(/^"(.*)"$/, '$1') ?? null;
  if (!match)
    throw new PbsError(`parameter verification failed - 'maintenance-mode': unable to parse '${text}'`);
  if (message && message.length > 64)
    throw new PbsError(
      "parameter verification failed - 'maintenance-mode': value may only be 64 characters long",
    );
  if (message?.includes(','))
    throw new PbsError('writing "/etc/proxmox-backup/datastore.cfg" failed: verify section failed');
  datastore.maintenance = message === null ? (match[1] ?? '') : `${match[1]},message=${message}`;
  host.record.event('maintenance-set', host.name, { datastore: datastore.name, mode: match[1], message });
}
