import { EXIT, Fault, type FaultOptions } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import type { ClusterLock } from './store.js';
import { type LockTag, nameOfPlace, type Place } from './tag.js';

/** What the lock itself says to a run, beside the faults of the servers that keep it. */
export class LockFault extends Fault {}
/** Its tag is not there any more, or not alone. */
export class LockLost extends LockFault {
  constructor(message: string, options: FaultOptions) {
    super('lock.lost', message, options);
  }
}
/** Another holds it. */
export class LockForeign extends LockFault {
  constructor(message: string, options: FaultOptions) {
    super('lock.foreign', message, options);
  }
}

type Named = Pick<ClusterLock, 'cluster'>;

export const holderOf = ({ owner, run }: LockTag): string => `"${owner}" (run ${run})`;
const until = ({ expiresAt }: LockTag) => isoFromSeconds(expiresAt);
/** Empty for the carrier itself. */
const on = (place: Place, carrier: Place) => (place === carrier ? '' : ` on ${nameOfPlace(place)}`);

export function held(
  { cluster, store }: Pick<ClusterLock, 'cluster' | 'store'>,
  by: LockTag,
  { place, expired }: { readonly place: Place; readonly expired: boolean },
): Fault {
  const where = on(place, store.place);
  const breakIt = `pbs-ctl lock break --cluster ${cluster} --yes`;
  if (!expired)
    return new LockFault(
      'lock.held',
      `The lock of cluster "${cluster}" is held by ${holderOf(by)} until ${until(by)}${where === '' ? '' : `, by a tag${where}`}.`,
      {
        hint: `Wait, or look: pbs-ctl lock show --cluster ${cluster}`,
        exitCode: EXIT.tryLater,
        retryAfter: until(by),
      },
    );
  return new LockFault(
    'lock.expired',
    `The lock of cluster "${cluster}" was left by ${holderOf(by)}${where} and expired at ${until(by)}.`,
    {
      hint:
        where === ''
          ? `Make sure that nothing runs any more, then: ${breakIt} (or policy.onExpiredLock "take-over")`
          : `Such a tag comes with a guest that was restored or cloned, or from a config with another lock carrier. Make sure that nothing runs any more, then: ${breakIt}`,
      exitCode: EXIT.tryLater,
    },
  );
}

export const foreign = ({ cluster }: Named, by: LockTag): LockForeign =>
  new LockForeign(`The lock of cluster "${cluster}" is held by ${holderOf(by)}; it is not released.`, {
    hint: `Only its owner releases it; in an emergency: pbs-ctl lock break --cluster ${cluster} --yes`,
  });

export const unreadable = ({ cluster }: Named, tag: string, place: Place): LockFault =>
  new LockFault(
    'lock.unreadable',
    `In cluster "${cluster}" ${nameOfPlace(place)} carries the tag "${tag}", which begins like a lock and cannot be read.`,
    {
      hint: `Find out who set it, then: pbs-ctl lock break --cluster ${cluster} --yes`,
      exitCode: EXIT.tryLater,
    },
  );

export const configLocked = ({ cluster }: Named, by: string): LockFault =>
  new LockFault(
    'lock.config-locked',
    `The guest that carries the lock of cluster "${cluster}" is locked by PVE (${by}); its tags cannot be written.`,
    {
      hint: 'Wait until that operation has ended.',
      exitCode: EXIT.tryLater,
    },
  );

export const contended = ({ cluster }: Named, verb: string): LockFault =>
  new LockFault(
    'lock.contended',
    `Could not ${verb} the lock of cluster "${cluster}": others changed the tags each time.`,
    { hint: 'Try again in a moment.', exitCode: EXIT.tryLater },
  );

export const unseen = ({ cluster, store }: Pick<ClusterLock, 'cluster' | 'store'>, tag: string): LockFault =>
  new LockFault(
    'lock.unseen',
    `The tag "${tag}" was written to ${nameOfPlace(store.place)}, and cluster "${cluster}" does not list it: whether another holds the lock cannot be seen. It was taken back.`,
    {
      hint: 'Try again in a moment. If it stays so, see whether all nodes are in step: pvecm status',
      exitCode: EXIT.tryLater,
    },
  );

export function lost({ cluster }: Named, run: string, other: LockTag | undefined): LockLost {
  const hint = `Find out who changed the tags: pbs-ctl lock show --cluster ${cluster}`;
  if (!other)
    return new LockLost(
      `The lock of cluster "${cluster}" is gone: another user removed the tag of run ${run}.`,
      { hint },
    );
  const what =
    other.run === run ? `another process of run ${run} has written its tag` : `${holderOf(other)} holds it`;
  return new LockLost(`The lock of cluster "${cluster}" is no longer ours alone: ${what}.`, { hint });
}
