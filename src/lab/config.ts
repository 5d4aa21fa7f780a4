import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestMachine } from './guest-machine.js';
import type { Landscape, Scenario } from './scenarios/scenario.js';

export const PVE_TOKEN = 'pbs-ctl@pve!patch';
export const PBS_TOKEN = 'pbs-ctl@pbs!patch';

/** Writes the config with which pbs-ctl works in a lab, and the files of its secrets. */
export function writeConfig(
  { cluster, hosts }: Landscape<GuestMachine>,
  { dir, configPath }: { readonly dir: string; readonly configPath: string },
  secrets: Record<'pve' | 'pbs' | 'slack', string>,
  { policy, host }: Scenario,
): void {
  const secret = (name: keyof typeof secrets) => {
    const file = join(dir, 'secrets', name);
    writeFileSync(file, `${secrets[name]}\n`, { mode: 0o600 });
    return { file };
  };
  const config = {
    clusters: {
      main: {
        endpoints: cluster.servers.map(({ url }) => url),
        token: PVE_TOKEN,
        secret: secret('pve'),
        tls: { fingerprints: cluster.servers.map(({ fingerprint }) => fingerprint) },
        lock: { vmid: [...hosts.values()][0]?.machine.vmid },
      },
    },
    hosts: Object.fromEntries(
      [...hosts].map(([name, { server, machine }]) => [
        name,
        {
          endpoint: server.url,
          token: PBS_TOKEN,
          secret: secret('pbs'),
          tls: { fingerprints: [server.fingerprint] },
          guest: { cluster: 'main', vmid: machine.vmid },
          ...(name === 'pbs01' ? host : {}),
        },
      ]),
    ),
    policy: {
      pollInterval: '250ms',
      stableFor: '1s',
      rebootTimeout: '60s',
      upgradeTimeout: '60s',
      requestTimeout: '5s',
      ...policy,
    },
    notify: { slack: { webhook: secret('slack') } },
    stateDir: join(dir, 'state'),
  };
  writeFileSync(configPath, `${JSON.stringify(config, null, 2)}\n`);
}
