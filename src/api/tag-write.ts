import { ApiFault } from './failure.js';

/** Gives the refusals of a guarded tag write codes of their own; everything else passes unchanged. */
export function tagFault(cluster: string, vmid: number, error: unknown): unknown {
  if (!(error instanceof ApiFault)) return error;
  const fault = (code: string, what: string, hint?: string) =>
    new ApiFault(
      code,
      `The tags of guest ${vmid} of cluster "${cluster}" were not written: ${what}`,
      error,
      { ...(error.status === null ? {} : { status: error.status }), words: error.serverWords },
      { cause: error, ...(hint ? { hint } : {}) },
    );
  // "missmatch" until 2024; the second text is that of containers.
  if (/checksum mis{1,2}match|detected modified configuration/.test(error.serverWords)) {
    return fault('pve.modified', 'its config was changed by somebody else');
  }
  if (/\b(VM|CT) is locked|can't lock file|got lock( request)? timeout/.test(error.serverWords)) {
    return fault(
      'pve.guest-locked',
      'it is locked',
      'Wait until the backup, snapshot, migration or restart of that guest is through.',
    );
  }
  return error;
}
