import { createHash } from 'node:crypto';
import { optional, text } from '../parameters.js';
import type { PbsHost } from './host.js';
import { type PbsRoute, shuffled } from './server.js';
import type { PbsJob } from './state.js';

const REMOTE = 'elsewhere';
/** Which privileges a token must have on which paths to see a job. */
const SEEN_BY: Readonly<
  Record<PbsJob['kind'], (job: PbsJob) => ReadonlyArray<readonly [path: string, anyOf: readonly string[]]>>
> = {
  gc: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Modify']]],
  prune: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Modify']]],
  verify: ({ store }) => [[`/datastore/${store}`, ['Datastore.Audit', 'Datastore.Verify']]],
  sync: ({ store, remote = REMOTE }) => [
    [`/datastore/${store}`, ['Datastore.Audit']],
    [`/remote/${remote}`, ['Remote.Audit']],
  ],
  tape: ({ id }) => [[`/tape/job/${id}`, ['Tape.Audit']]],
};

/** The worker that carries a job out, and the beginning of what its id reads. */
const WORKERS: Readonly<Record<PbsJob['kind'], (job: PbsJob) => readonly [type: string, id: RegExp]>> = {
  gc: ({ store }) => ['garbage_collection', new RegExp(`^${store}$`)],
  prune: ({ store }) => ['prunejob', new RegExp(`^${store}(?::|$)`)],
  verify: ({ store, id }) => ['verificationjob', new RegExp(`^${store}:${id}$`)],
  sync: ({ id }) => ['syncjob', new RegExp(`:${id}$`)],
  tape: ({ id }) => ['tape-backup-job', new RegExp(`:${id}$`)],
};

const ofStore = { store: optional(text) };

/** Scheduled work on datastores, garbage collection excepted. */
export function jobRoutes(host: PbsHost): PbsRoute[] {
  const jobList = (path: string, kind: PbsJob['kind'], params: PbsRoute['params'] = {}): PbsRoute => ({
    method: 'GET',
    path,
    params,
    needs: null,
    beside: () => ({ digest: digestOf(host, kind) }),
    handle: ({ params: given }) =>
      shuffled(jobsOf(host, kind))
        .filter(({ store }) => (given.store ?? store) === store)
        .map((job) => ({
          id: job.id,
          store: job.store,
          schedule: job.schedule,
          'next-run': job.nextRun,
          ...lastRunOf(host, job),
          ...(kind === 'sync' ? { remote: job.remote ?? REMOTE, 'remote-store': 'far' } : {}),
          ...(kind === 'tape' ? { pool: 'weekly', drive: 'lto8' } : {}),
        })),
  });
  return [
    jobList('/admin/prune', 'prune', ofStore),
    jobList('/admin/verify', 'verify', ofStore),
    jobList('/admin/sync', 'sync', {
      ...ofStore,
      'sync-direction': optional({ type: 'string', values: ['pull', 'push', 'all'] }),
    }),
    jobList('/tape/backup', 'tape'),
    {
      method: 'GET',
      path: '/config/remote',
      params: {},
      needs: null,
      beside: () => ({ digest: createHash('sha256').update(JSON.stringify(host.remotes)).digest('hex') }),
      handle: () =>
        shuffled(host.remotes)
          .filter(({ name }) => host.access.has(`/remote/${name}`, 'Remote.Audit'))
          .map((remote) => ({ ...remote, 'auth-id': 'sync@pbs' })),
    },
  ];
}

/** Those that the token may see. */
export const jobsOf = ({ jobs, access }: PbsHost, kind: PbsJob['kind']): PbsJob[] =>
  jobs.filter(
    (job) =>
      job.kind === kind &&
      SEEN_BY[kind](job).every(([path, anyOf]) => anyOf.some((each) => access.has(path, each))),
  );

/** While a job runs, nothing is said of how it ended. */
export function runOf(host: PbsHost, job: PbsJob): { readonly upid: string } | null {
  const [type, id] = WORKERS[job.kind](job);
  return host.running().find((task) => task.type === type && id.test(task.id ?? '')) ?? null;
}

function lastRunOf(host: PbsHost, job: PbsJob): Record<string, unknown> {
  const run = runOf(host, job);
  if (run) return { 'last-run-upid': run.upid };
  if (!job.lastRun) return {};
  const { upid, endedAt, state } = job.lastRun;
  return { 'last-run-upid': upid, 'last-run-endtime': endedAt, 'last-run-state': state };
}

/** SHA-256 of the file that such jobs are configured in. */
const digestOf = ({ jobs }: PbsHost, kind: PbsJob['kind']) =>
  createHash('sha256')
    .update(JSON.stringify(jobs.filter((job) => job.kind === kind).map(({ id, schedule }) => [id, schedule])))
    .digest('hex');
