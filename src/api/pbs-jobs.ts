import { z } from 'zod';
import * as answers from './pbs-answers.js';
import type { Request } from './request.js';

export interface PbsJob extends z.output<typeof answers.Job> {
  readonly kind: 'garbage-collection' | 'prune' | 'verify' | 'sync' | 'tape';
}

export interface PbsJobs {
  readonly jobs: readonly PbsJob[];
  /** Why garbage collection is not among them; null where it is. */
  readonly unknown: string | null;
}

const Jobs = z.array(answers.Job);

/**
 * Asks for the jobs of every kind.
 * @param version of the server, major.minor
 * @param tasks that run there
 * @param collecting garbage collection of each datastore, or why it is not known
 */
export async function scheduledJobs(
  get: <Answer>(path: string, data: z.ZodType<Answer>, more?: Partial<Request>) => Promise<Answer>,
  version: string,
  tasks: readonly answers.PbsTask[],
  collecting: Promise<readonly z.output<typeof answers.GarbageCollection>[] | string>,
): Promise<PbsJobs> {
  const [collections, prune, verify, sync, tape] = await Promise.all([
    collecting,
    get('/admin/prune', Jobs),
    get('/admin/verify', Jobs),
    get('/admin/sync', Jobs, syncDirection(version)),
    get('/tape/backup', Jobs),
  ]);
  const running = new Set(tasks.filter(({ type }) => type === 'garbage_collection').map(({ id }) => id));
  const ofKind = (kind: PbsJob['kind'], jobs: z.output<typeof Jobs>) =>
    sorted(jobs).map((job) => ({ kind, ...job }));
  const known = typeof collections === 'string' ? [] : collections;
  const jobs = [
    ...sorted(known).map(
      (job): PbsJob => ({
        kind: 'garbage-collection',
        ...job,
        id: job.store,
        disabled: false,
        running: running.has(job.store),
      }),
    ),
    ...ofKind('prune', prune),
    ...ofKind('verify', verify),
    ...ofKind('sync', sync),
    ...ofKind('tape', tape),
  ];
  return { jobs, unknown: typeof collections === 'string' ? collections : null };
}

/** Without it only pull jobs are listed; before 3.3 there is nothing else, and it is refused. */
export const syncDirection = (version: string): Pick<Request, 'parameters'> | object =>
  isAtLeast(version, 3, 3) ? { parameters: { 'sync-direction': 'all' } } : {};

/** PBS lists jobs in another order at each call. */
const sorted = <Job extends { readonly store: string; readonly id?: string }>(jobs: readonly Job[]): Job[] =>
  jobs.toSorted((one, other) => nameOf(one).localeCompare(nameOf(other)));
const nameOf = ({ store, id = '' }: { readonly store: string; readonly id?: string }) => `${store} ${id}`;

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
