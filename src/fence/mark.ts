interface Marked {
  readonly type: string;
  readonly message: string | null;
}

/** The maintenance message of a fenced datastore: at most 64 characters, no comma. */
export const fenceMessage = (runId: string, since: string): string =>
  `pbs-ctl run ${runId} since ${since.slice(0, 16)}Z`;

/** The run whose fence this is; null for a maintenance mode that another user set. */
export function runOfFence(maintenance: Marked | null): string | null {
  if (maintenance?.type !== 'read-only') return null;
  return /^pbs-ctl run ([a-z0-9]+)\b/.exec(maintenance.message ?? '')?.[1] ?? null;
}

/** True for the fence of this run. */
export const isOwnFence = (maintenance: Marked | null, runId: string): boolean =>
  runOfFence(maintenance) === runId;
