import type { GuestMachine } from './guest-machine.js';
import { nightly, type SimulatedGroup } from './pbs/contents.js';
import type { PbsHost } from './pbs/host.js';
import type { SimulatedStorage } from './pve/state.js';

/** What is in a datastore of the lab at the beginning. */
export function storedBackups(store: string, now: number): SimulatedGroup[] {
  const guest = nightly({ type: 'vm', id: '101' }, { now, count: 7 });
  if (store !== 'tank') return [guest];
  return [
    guest,
    nightly({ type: 'ct', id: '103' }, { now, count: 5 }),
    nightly({ type: 'vm', id: '102', ns: 'prod' }, { now, count: 3 }),
  ];
}

/** Whether PVE reaches the datastore of a storage, and is let in: with the fingerprint and password that it has. */
export const reachesPbs =
  (hosts: ReadonlyMap<string, PbsHost<GuestMachine>>) =>
  ({ port, datastore, fingerprint, badPassword }: SimulatedStorage): boolean => {
    const host = [...hosts.values()].find(({ server }) => server.port === port);
    if (!host) return true;
    const store = host.datastores.find(({ name }) => name === datastore);
    const served = host.server.fingerprint.toLowerCase();
    return (
      host.datastoresReady &&
      store !== undefined &&
      !store.maintenance?.startsWith('offline') &&
      badPassword !== true &&
      (fingerprint === undefined || fingerprint.toLowerCase() === served)
    );
  };
