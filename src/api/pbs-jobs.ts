import type { z } from 'zod';
import * as answers from './pbs-answers.js';
import type { Request } from './request.js';

export interface PbsJob {
  readonly kind: 'garbage-collection' | 'prune' | 'verify' | 'sync' | 'tape';
  readonly id: string;
  readonly store: string;
  readonly schedule: string | null;
  readonly disabled: boolean;
  /** Epoch seconds; may lie in the past. */
  readonly nextRun: number | null;
  readonly running: boolean;
}

/** Asks for the jobs of every kind. `version` is major.minor of the server, `tasks` what runs there. */
export async function scheduledJobs(
  get: <Answer>(path: string, data: z.ZodType<Answer>, more?: Partial<Request>) => Promise<Answer>,
  version: string,
  tasks: readonly answers.PbsTask[],
): Promise<PbsJob[]> {
  // Without the parameter only pull jobs are listed; before 3.3 there is nothing else, and it is refused.
  const direction = isAtLeast(version, 3, 3) ? { parameters: { 'sync-direction': 'all' } } : {};
  const [collections, prune, verify, sync, tape] = await Promise.all([
    get('/admin/gc', answers.GarbageCollections),
    get('/admin/prune', answers.Jobs),
    get('/admin/verify', answers.Jobs),
    get('/admin/sync', answers.Jobs, direction),
    get('/tape/backup', answers.Jobs),
  ]);
  const collecting = new Set(tasks.filter(({ type }) => type === 'garbage_collection').map(({ id }) => id));
  return [
    ...collections.map(
      ({ store, schedule, ...rest }): PbsJob => ({
        kind: 'garbage-collection',
        id: store,
        store,
        schedule,
        disabled: false,
        nextRun: rest['next-run'],
        running: collecting.has(store),
      }),
    ),
    ...prune.map((job): PbsJob => ({ kind: 'prune', ...job })),
    ...verify.map((job): PbsJob => ({ kind: 'verify', ...job })),
    ...sync.map((job): PbsJob => ({ kind: 'sync', ...job })),
    ...tape.map((job): PbsJob => ({ kind: 'tape', ...job })),
  ];
}

function isAtLeast(version: string, major: number, minor: number): boolean {
  const [ownMajor = 0, ownMinor = 0] = version.split('.').map(Number);
  return ownMajor > major || (ownMajor === major && ownMinor >= minor);
}
