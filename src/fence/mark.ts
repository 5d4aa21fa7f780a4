/** A maintenance mode of a datastore, as far as its mark tells whose it is. */
interface Marked {
  readonly type: string;
  readonly message: string | null;
}

/** What stands in the maintenance message of a datastore that a run has fenced: at most 64 characters, no comma. */
export const fenceMessage = (runId: string, since: string): string =>
  `pbs-ctl run ${runId} since ${since.slice(0, 16)}Z`;

/** The run whose fence this maintenance mode is; null for what others have set. */
export function runOfFence(maintenance: Marked | null): string | null {
  if (maintenance?.type !== 'read-only') return null;
  return /^pbs-ctl run ([a-z0-9]+)\b/.exec(maintenance.message ?? '')?.[1] ?? null;
}

/** True for the maintenance mode that this very run has set. */
export const isOwnFence = (maintenance: Marked | null, runId: string): boolean =>
  runOfFence(maintenance) === runId;
