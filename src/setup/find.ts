import type { PveGuest, PveStorage } from '../api/pve.js';

/** A PBS as the storages of a cluster describe it. */
export interface FoundPbs {
  readonly server: string;
  readonly port: number;
  readonly datastores: readonly string[];
  readonly storages: readonly string[];
  /** Fingerprint that the cluster pins for it, upper case with ":"; null where it pins none. */
  readonly fingerprint: string | null;
}

/** Storages that lead to one server are one PBS. */
export function pbsOf(storages: readonly PveStorage[]): FoundPbs[] {
  const found = new Map<string, FoundPbs>();
  for (const { type, server, port, datastore, storage, fingerprint } of storages) {
    if (type !== 'pbs' || server === null) continue;
    const key = `${server} ${port}`;
    const known = found.get(key);
    found.set(key, {
      server,
      port,
      datastores: unique([...(known?.datastores ?? []), ...(datastore === null ? [] : [datastore])]),
      storages: [...(known?.storages ?? []), storage],
      fingerprint: known?.fingerprint ?? fingerprint?.toUpperCase() ?? null,
    });
  }
  return [...found.values()];
}

export interface Candidate {
  readonly guest: PveGuest;
  /** How it was recognised, for the confirmation. */
  readonly because: string;
}

/**
 * The VM that a PBS runs in, as far as it shows from outside: by an address that its agent reports, else by its
 * name. Null where several are equally likely.
 * @param addresses of guests whose agent answered
 * @param places addresses of the server
 */
export function guestOf(
  pbs: FoundPbs,
  guests: readonly PveGuest[],
  addresses: ReadonlyMap<number, readonly string[]>,
  places: readonly string[] = [pbs.server],
): Candidate | null {
  const vms = guests.filter(({ type }) => type === 'qemu');
  const one = (matches: readonly PveGuest[], because: string): Candidate | null => {
    const [guest, ...others] = matches;
    return guest && others.length === 0 ? { guest, because } : null;
  };
  const label = pbs.server.split('.')[0]?.toLowerCase() ?? '';
  const named = (test: (name: string) => boolean) =>
    vms.filter(({ name }) => name !== null && test(name.toLowerCase().split('.')[0] ?? ''));
  return (
    one(
      vms.filter(({ vmid }) => addresses.get(vmid)?.some((each) => places.includes(each))),
      `has the address ${pbs.server}`,
    ) ??
    one(
      named((name) => name === label),
      'has the name of the server',
    ) ??
    one(
      named((name) => name.length > 2 && pbs.storages.every((storage) => belongs(storage, name))),
      `has the name of the storage ${pbs.storages[0] ?? ''}`,
    )
  );
}

/** A storage "pbs01-tank" belongs to "pbs01" and not to "pbs0". */
const belongs = (storage: string, name: string) =>
  storage.toLowerCase() === name ||
  ['-', '_', '.'].some((mark) => storage.toLowerCase().startsWith(`${name}${mark}`));

/** A name for the config: that of its guest or server where it is valid. */
export function nameFor(pbs: FoundPbs, candidate: Candidate | null, taken: readonly string[]): string {
  const isAddress = /^[\d.]+$|:/.test(pbs.server);
  const wanted = [candidate?.guest.name, isAddress ? null : pbs.server.split('.')[0]]
    .map((name) => name?.toLowerCase().split('.')[0] ?? '')
    .find((name) => /^[a-z0-9][a-z0-9._-]*$/.test(name) && !taken.includes(name));
  if (wanted !== undefined) return wanted;
  for (let number = 1; ; number += 1) {
    const name = `pbs${String(number).padStart(2, '0')}`;
    if (!taken.includes(name)) return name;
  }
}

const unique = (values: readonly string[]): string[] => [...new Set(values)];
