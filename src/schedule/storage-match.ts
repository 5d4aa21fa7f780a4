import type { PveStorage } from '../api/pve.js';
import type { Target } from '../config/target.js';

/** Where a backup goes: to this host, surely elsewhere, or nobody can tell. */
export type Destination = 'here' | 'elsewhere' | 'unknown';

/** Ports that are meant where an address names none: that of https, and that of a storage entry. */
const UNSAID_PORTS = [443, 8007];

/**
 * Names of the storages of a cluster that are this PBS: by address and port, or by the fingerprint of its
 * certificate. The port counts, since several hosts can stand behind one address.
 * @param fingerprint of the certificate that the PBS itself names, null where it names none
 */
export function storagesOfHost(
  storages: readonly PveStorage[],
  target: Target,
  fingerprint: string | null,
): Set<string> {
  const own = placeOf(target.config.endpoint.replace(/^https:\/\//, ''));
  const ports = own.port === null ? UNSAID_PORTS : [own.port];
  const places = new Set(
    [own, ...target.config.addresses.map(placeOf)].flatMap(({ name, port }) =>
      (port === null ? ports : [port]).map((each) => `${name} ${each}`),
    ),
  );
  const prints = new Set(
    [fingerprint, ...(target.config.tls.fingerprints ?? [])].flatMap((each) => (each ? [bare(each)] : [])),
  );
  const isHost = ({ type, server, port, fingerprint: print }: PveStorage) =>
    type === 'pbs' &&
    ((server !== null && places.has(`${placeOf(server).name} ${port}`)) ||
      (print !== null && prints.has(bare(print))));
  return new Set(storages.filter(isHost).map(({ storage }) => storage));
}

/**
 * Where a storage name leads. A name that is not among the storages tells nothing: the token may not be
 * allowed to see that one.
 */
export function destinationOf(
  name: string | null,
  storages: readonly Pick<PveStorage, 'storage'>[],
  ours: ReadonlySet<string>,
): Destination {
  if (name === null) return 'unknown';
  if (ours.has(name)) return 'here';
  return storages.some(({ storage }) => storage === name) ? 'elsewhere' : 'unknown';
}

const bare = (fingerprint: string) => fingerprint.replaceAll(':', '').toLowerCase();

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
