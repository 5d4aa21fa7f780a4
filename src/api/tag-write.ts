import { ApiFault } from './failure.js';
import type { GuestPlaces } from './guest-places.js';
import type { Server } from './request.js';
import { Nothing } from './shared-answers.js';

export interface TagWrite {
  readonly cluster: string;
  readonly vmid: number;
  readonly tags: readonly string[];
  /** Of the config that the tags were read from. */
  readonly digest: string;
}

/** Replaces the tags of a guest if its config still has this digest. @throws what {@link tagFault} makes of a refusal */
export async function writeTags(
  server: Server,
  places: GuestPlaces,
  { cluster, vmid, tags, digest }: TagWrite,
): Promise<void> {
  if (digest === '') throw new RangeError('without a digest the server would not compare anything');
  // An empty value would be stored as a blank tag.
  const change = tags.length === 0 ? { delete: 'tags' } : { tags: tags.join(';') };
  try {
    await places.on(vmid, (path) =>
      server.ask(
        { method: 'PUT', path: `${path}/config`, parameters: { ...change, digest }, repeat: 'swap' },
        Nothing,
      ),
    );
  } catch (error) {
    throw tagFault(cluster, vmid, error);
  }
}

/** Gives the refusals of a guarded tag write codes of their own; everything else passes unchanged. */
function tagFault(cluster: string, vmid: number, error: unknown): unknown {
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
