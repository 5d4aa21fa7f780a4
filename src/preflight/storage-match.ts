import type { PveStorage } from '../api/pve.js';
import type { Target } from '../config/target.js';

/** Names of the storages of a cluster that are this PBS: by address and port, or by the fingerprint of its certificate. */
export function storagesOfHost(
  storages: readonly PveStorage[],
  target: Target,
  fingerprint: string | null,
): Set<string> {
  const { hostname, port } = new URL(target.config.endpoint);
  const names = new Set(
    [hostname, ...target.config.addresses].map((name) => name.toLowerCase().replace(/^\[|\]$/g, '')),
  );
  const prints = new Set(
    [fingerprint, ...(target.config.tls.fingerprints ?? [])].flatMap((print) =>
      print ? [print.toUpperCase()] : [],
    ),
  );
  const isHost = ({ type, server, port: at, fingerprint: print }: PveStorage) =>
    type === 'pbs' &&
    ((server !== null && names.has(server.toLowerCase()) && at === Number(port || 443)) ||
      (print !== null && prints.has(print.toUpperCase())));
  return new Set(storages.filter(isHost).map(({ storage }) => storage));
}
