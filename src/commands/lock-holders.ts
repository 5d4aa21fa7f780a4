import type { Config } from '../config/schema.js';
import type { Target } from '../config/target.js';
import { openCluster } from '../host/open.js';
import type { ClusterAccess } from '../lock/cluster-lock.js';
import { look } from '../lock/lock.js';
import { isoFromSeconds } from '../moment.js';
import type { HostStatus } from '../report/host-text.js';
import type { World } from '../world.js';

type Holder = HostStatus['lock'];

export interface LockHolders {
  /** Who holds a lock that a run on this host would need; the first in alphabetical order. */
  ofHost(target: Target): Promise<Holder>;
  close(): Promise<void>;
}

/** Who holds the locks, each cluster asked once however many hosts it has. */
export function lockHolders(config: Config, world: World): LockHolders {
  const clusters: ClusterAccess[] = [];
  const asked = new Map<string, Promise<Holder>>();
  const ask = async (name: string): Promise<Holder> => {
    const cluster = await openCluster(config, name, world);
    clusters.push(cluster);
    return holderOf(cluster);
  };
  return {
    async ofHost(target) {
      const holders = await Promise.all(
        target.clusters.map((name) => {
          const holder = asked.get(name) ?? ask(name);
          asked.set(name, holder);
          return holder;
        }),
      );
      return holders.find((holder) => holder !== null) ?? null;
    },
    close: async () => {
      await Promise.all(clusters.map(({ pve }) => pve.close()));
    },
  };
}

async function holderOf(cluster: ClusterAccess): Promise<Holder> {
  const current = await look(cluster.lock);
  if (current.kind === 'free') return null;
  if (current.kind === 'unreadable')
    return { cluster: cluster.name, owner: null, run: null, expiresAt: null };
  const { owner, run, expiresAt } = current.lock;
  return { cluster: cluster.name, owner, run, expiresAt: isoFromSeconds(expiresAt) };
}
