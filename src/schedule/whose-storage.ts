import { isIP } from 'node:net';
import { bareFingerprint } from '../api/certificate.js';
import type { PveStorage } from '../api/pve.js';
import { servedBy, type Target } from '../config/target.js';
import type { Answers, ClusterAnswers } from '../host/answers.js';

/** Whose datastore a storage of PVE is, and by what that is known. */
export interface Whose {
  readonly is: 'here' | 'another-host' | 'elsewhere' | 'unknown';
  /** "its fingerprint", "its address", …; of `unknown`: why. */
  readonly why: string;
  /** The other host of the config. */
  readonly host?: string;
}

/** The storages of a cluster that the token may see. */
export interface Storages {
  readonly whose: ReadonlyMap<string, Whose>;
  /** Nothing new is written there. */
  readonly disabled: ReadonlySet<string>;
  /** In `otherStorages`, although they are this host. */
  readonly misnamed: readonly string[];
  /** Why no backup of the cluster is seen that goes to this host; null where some may. */
  readonly unseen: string | null;
}

/** What this host is called, by address and by certificate. */
interface Names {
  /** "NAME PORT" and "ADDRESS PORT". */
  readonly places: ReadonlySet<string>;
  readonly fingerprints: ReadonlySet<string>;
  /** False where it is not known what the host serves: then no other fingerprint proves anything. */
  readonly complete: boolean;
}

export async function storagesSeen(
  answers: Answers,
  { name, pve, config }: ClusterAnswers,
): Promise<Storages> {
  const { target, addressesOf } = answers;
  const all = await pve.storages();
  const enabled = all.filter(({ disabled }) => !disabled);
  const { known, others } = await namesFor(
    answers,
    enabled.flatMap((each) => each.fingerprint ?? []),
  );
  const apart = new Set(config.otherStorages);
  const judged = await Promise.all(
    all.map(async (storage) => {
      const place = placeOf(storage.server ?? '');
      const addresses = storage.server === null || isIP(place.name) ? [] : await addressesOf(place.name);
      return [storage.storage, whoseStorage(storage, addresses, known, others)] as const;
    }),
  );
  const whose = new Map(
    judged.map(([storage, found]) => [
      storage,
      apart.has(storage) && found.is !== 'here'
        ? ({ is: 'elsewhere', why: 'named in otherStorages' } as const)
        : found,
    ]),
  );
  const disabled = new Set(all.flatMap((each) => (each.disabled ? [each.storage] : [])));
  const leadsHere = [...whose].some(
    ([storage, { is }]) => !disabled.has(storage) && (is === 'here' || is === 'unknown'),
  );
  return {
    whose,
    disabled,
    misnamed: [...whose].flatMap(([storage, { is }]) =>
      is === 'here' && apart.has(storage) ? [storage] : [],
    ),
    unseen:
      leadsHere || !servedBy(target.config).includes(name)
        ? null
        : `backups of cluster ${name} are not seen: none of its enabled storages leads to ${target.host}`,
  };
}

/**
 * What this host and the others of the config are called.
 * @param pinned fingerprints that are to be told apart
 */
export async function namesFor(answers: Answers, pinned: readonly string[]) {
  const { pbs, target, addressesOf } = answers;
  const { fingerprint } = await pbs.nodeStatus();
  const ownPrints = printsOf([fingerprint, ...(target.config.tls.fingerprints ?? [])]);
  const pinsAnother = pinned.some((each) => !ownPrints.has(bareFingerprint(each)));
  const served = pinsAnother ? await answers.served().catch(() => undefined) : null;
  const resolved = async (each: Place) => placesOf(each, await addressesOf(each.name));
  const own = await Promise.all(ownPlaces(target).map(resolved));
  const known: Names = {
    places: new Set(own.flat()),
    fingerprints: new Set([...ownPrints, ...printsOf([served])]),
    complete: served !== undefined && ownPrints.size > 0,
  };
  const others = await Promise.all(
    target.others.map(async ({ host, config: other }) => ({
      host,
      // By the letter, or a plain address: what a name resolves to here may be another machine there.
      places: new Set((await Promise.all(ownPlaces({ config: other }).map(resolved))).flat()),
      fingerprints: printsOf(other.tls.fingerprints ?? []),
    })),
  );
  return { known, others };
}

/**
 * Whose storage it is. What is not proven to be elsewhere may be here. Pure.
 * @param addresses that its server resolves to
 */
export function whoseStorage(
  { type, server, port, fingerprint }: Pick<PveStorage, 'type' | 'server' | 'port' | 'fingerprint'>,
  addresses: readonly string[],
  own: Names,
  others: ReadonlyArray<{ host: string; places: ReadonlySet<string>; fingerprints: ReadonlySet<string> }>,
): Whose {
  if (type !== 'pbs') return { is: 'elsewhere', why: `of type ${type}` };
  const print = fingerprint === null ? null : bareFingerprint(fingerprint);
  if (print !== null && own.fingerprints.has(print)) return { is: 'here', why: 'its fingerprint' };
  const { name } = placeOf(server ?? '');
  const at = (each: string) => `${each} ${port}`;
  const isOurs = [name, ...addresses].some((each) => own.places.has(at(each)));
  if (isOurs && print === null) return { is: 'here', why: 'its address' };
  if (isOurs) return { is: 'unknown', why: 'its address is that of this host, its fingerprint is not' };
  const other = others.find(({ places, fingerprints }) =>
    print === null ? places.has(at(name)) : fingerprints.has(print),
  );
  if (other) {
    const why = print === null ? 'its address' : 'its fingerprint';
    return { is: 'another-host', why, host: other.host };
  }
  if (print !== null && own.complete) return { is: 'elsewhere', why: 'the fingerprint of another machine' };
  if (print !== null) return { is: 'unknown', why: 'which certificate this host serves is not known' };
  const where = server ?? 'an unknown server';
  if (isIP(name))
    return {
      is: 'unknown',
      why: `${where}:${port} is not among the addresses of this host, and no fingerprint is pinned`,
    };
  const leads = addresses.length === 0 ? 'does not resolve here' : `resolves to ${addresses.join(', ')} here`;
  return { is: 'unknown', why: `${where} ${leads}, which proves nothing, and no fingerprint is pinned` };
}

/** Datastores of this host that enabled storages of a cluster name. None where the cluster cannot be asked. */
export async function datastoresHere(answers: Answers, cluster: ClusterAnswers): Promise<string[]> {
  try {
    const [{ whose }, all] = await Promise.all([storagesSeen(answers, cluster), cluster.pve.storages()]);
    return all.flatMap(({ storage, disabled, datastore }) =>
      !disabled && datastore !== null && whose.get(storage)?.is === 'here' ? [datastore] : [],
    );
  } catch {
    // pve.backups reports it.
    return [];
  }
}

/** What a person does about a storage that cannot be told apart. */
export const howToTell = (host: string, cluster: string): string =>
  `If it is ${host}, add its server to hosts.${host}.addresses; if it is not, add the storage to clusters.${cluster}.otherStorages.`;

interface Place {
  readonly name: string;
  readonly ports: readonly number[];
}

/** Ports that are meant where an endpoint names none: that of https, and that of a storage entry. */
const PBS_PORT = 8007;
const UNSAID_PORTS = [443, PBS_PORT];

function ownPlaces({ config }: Pick<Target, 'config'>): Place[] {
  const { name, port } = placeOf(config.endpoint.replace(/^https:\/\//, ''));
  const ports = port === null ? UNSAID_PORTS : [port];
  const more = config.addresses.map(placeOf).map((each) => ({
    name: each.name,
    // The endpoint may be a proxy on a port of its own, and storages go to PBS itself.
    ports: each.port === null ? [...ports, PBS_PORT] : [each.port],
  }));
  return [{ name, ports }, ...more];
}

const placesOf = ({ name, ports }: Place, addresses: readonly string[]): string[] =>
  [name, ...addresses].flatMap((each) => ports.map((port) => `${each} ${port}`));

const printsOf = (all: ReadonlyArray<string | null | undefined>): Set<string> =>
  new Set(all.flatMap((each) => (each ? [bareFingerprint(each)] : [])));

/** Name and port of "host", "host:port", "fd00::5" or "[fd00::5]:port", names and IPv6 in their one spelling. */
function placeOf(address: string): { name: string; port: number | null } {
  const isPlainIpv6 = (address.match(/:/g)?.length ?? 0) > 1 && !address.startsWith('[');
  // Another scheme, since https would swallow a port that is its own.
  const url = `ssh://${isPlainIpv6 ? `[${address}]` : address}`;
  if (!URL.canParse(url)) return { name: address.toLowerCase(), port: null };
  const { hostname, port } = new URL(url);
  const name = hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '')
    .toLowerCase();
  return { name, port: port === '' ? null : Number(port) };
}
