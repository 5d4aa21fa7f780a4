import { existsSync, mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { createToken, grants, neededOnPbs, neededOnPve } from '../api/privileges.js';
import type { SecretReference } from '../config/schema.js';
import { EXIT, Fault, type Fix } from '../fault.js';
import { writeAtomic } from '../journal/write-atomic.js';
import type { Asker } from './ask.js';
import type { NewSecret } from './interview.js';

/** Trusted by these fingerprints, or by the system's CAs where there are none. */
interface DraftServer {
  readonly token: string;
  readonly secret: SecretReference;
  readonly fingerprints: readonly string[];
}

export interface DraftCluster extends DraftServer {
  readonly name: string;
  readonly endpoints: readonly string[];
  /** Null: unknown. */
  readonly major: number | null;
}

export interface DraftHost extends DraftServer {
  readonly name: string;
  readonly endpoint: string;
  readonly vmid: number;
  readonly datastores: readonly string[];
  /** Other names under which storages know it. */
  readonly addresses: readonly string[];
}

export interface Draft {
  readonly cluster: DraftCluster;
  readonly hosts: readonly DraftHost[];
  readonly slack: SecretReference | null;
}

const tls = ({ fingerprints }: DraftServer) => (fingerprints.length > 0 ? { fingerprints } : {});

/** The config file. Only the answers: everything else has a default (`pbs-ctl schema`). */
export function configOf({ cluster, hosts, slack }: Draft): string {
  const [carrier] = hosts;
  const config = {
    clusters: {
      [cluster.name]: {
        endpoints: cluster.endpoints,
        token: cluster.token,
        secret: cluster.secret,
        tls: tls(cluster),
        // By name, since the default goes by the order of the hosts and would move the lock.
        ...(carrier ? { lock: { vmid: carrier.vmid } } : {}),
      },
    },
    hosts: Object.fromEntries(
      hosts.map((host) => [
        host.name,
        {
          endpoint: host.endpoint,
          token: host.token,
          secret: host.secret,
          tls: tls(host),
          guest: { cluster: cluster.name, vmid: host.vmid },
          ...(host.addresses.length > 0 ? { addresses: host.addresses } : {}),
        },
      ]),
    ),
    ...(slack ? { notify: { slack: { webhook: slack } } } : {}),
  };
  return `${JSON.stringify(config, null, 2)}\n`;
}

/** The commands that create users, roles and tokens with the least privilege, machine by machine. */
export function commandsOf({ cluster, hosts }: Draft): Fix[] {
  const { token, major } = cluster;
  const guests = hosts.map(({ vmid }) => vmid);
  return [
    {
      where: `a node of ${cluster.name}`,
      commands: [
        ...createToken('pve', token),
        ...grants('pve', token, neededOnPve(major, { guests, carrier: null, registeredTags: false }), major),
      ],
    },
    ...hosts.map(({ name, token: own, datastores }) => ({
      where: name,
      commands: [
        ...createToken('pbs', own),
        ...grants(
          'pbs',
          own,
          neededOnPbs(datastores.length > 0 ? datastores : ['NAME_OF_EACH_DATASTORE'], {
            fence: true,
            unit: null,
          }),
        ),
      ],
    })),
  ];
}

/** @throws Fault `init.exists` (exit 2) unless the user or `--force` allows it */
export async function allowOverwriting(path: string, force: boolean, asker: Asker): Promise<void> {
  if (!existsSync(path) || force) return;
  if (await asker.confirm({ text: `${path} already exists. Overwrite it`, option: '--force' })) return;
  throw new Fault('init.exists', `${path} already exists; nothing was written.`, {
    hint: 'Choose another file with --output, or overwrite this one with --force.',
    exitCode: EXIT.usage,
  });
}

/** Secrets first, so that the config never names one that is not there. */
export function writeFiles(path: string, config: string, secrets: readonly NewSecret[]): void {
  for (const { file, value } of secrets) writePrivately(file, `${value}\n`, true);
  writePrivately(path, config, false);
}

/** Never readable by others, not even for a moment. */
function writePrivately(path: string, text: string, fresh: boolean): void {
  try {
    mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
    writeAtomic(path, text, 0o600, fresh);
  } catch (cause) {
    throw new Fault('init.write', `${path} cannot be written`, {
      hint: 'Choose another file with --output.',
      cause,
    });
  }
}
