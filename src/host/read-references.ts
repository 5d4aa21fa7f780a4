import { readTrust } from '../api/trust.js';
import type { Config } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import type { Target } from '../config/target.js';
import type { World } from '../world.js';

/**
 * Reads the secrets and CA files of these hosts and of the clusters that they need. For before the first of
 * them is contacted: an error of the config must not come to light when others have been patched already.
 * @throws Fault `config.secret`, `config.ca-file` (exit 2)
 */
export async function readReferences(
  { clusters }: Config,
  targets: readonly Target[],
  world: Pick<World, 'env' | 'platform'>,
): Promise<void> {
  const names = new Set(targets.flatMap((target) => target.clusters));
  const servers = [
    ...targets.map(({ config }) => config),
    ...[...names].flatMap((name) => clusters[name] ?? []),
  ];
  for (const { secret, tls } of servers) {
    await readSecret(secret, world);
    readTrust({ tls, env: world.env });
  }
}
