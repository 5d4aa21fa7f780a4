import { createToken, grants, neededOnPbs, neededOnPve } from '../api/privileges.js';
import type { SecretReference } from '../config/schema.js';
import type { Fix } from '../fault.js';

/** How a server is trusted: by these fingerprints, or by the system's CAs where there are none. */
export interface DraftServer {
  readonly token: string;
  readonly secret: SecretReference;
  readonly fingerprints: readonly string[];
}

export interface DraftCluster extends DraftServer {
  readonly name: string;
  readonly endpoints: readonly string[];
  /** Null: not known yet. */
  readonly major: number | null;
}

export interface DraftHost extends DraftServer {
  readonly name: string;
  readonly endpoint: string;
  readonly vmid: number;
  readonly datastores: readonly string[];
  /** Further names under which storages know it. */
  readonly addresses: readonly string[];
}

export interface Draft {
  readonly cluster: DraftCluster;
  readonly hosts: readonly DraftHost[];
  readonly slack: SecretReference | null;
}

const tls = ({ fingerprints }: DraftServer) => (fingerprints.length > 0 ? { fingerprints } : {});

/** The config file. Only what was asked for: everything else has a default, which `pbs-ctl schema` tells. */
export function configOf({ cluster, hosts, slack }: Draft): string {
  const config = {
    clusters: {
      [cluster.name]: {
        endpoints: cluster.endpoints,
        token: cluster.token,
        secret: cluster.secret,
        tls: tls(cluster),
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

/** What makes users, roles and tokens with the least that a run needs, machine by machine. */
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
