import type { Client, HeldPrivileges } from './client.js';
import { type Privilege, type Product, tokenParts } from './token.js';

/** A privilege that a run needs, why, and the roles that give it. */
export interface Need {
  readonly path: string;
  /** Any one of them is enough. */
  readonly anyOf: readonly string[];
  readonly why: string;
  readonly roles: readonly string[];
  /** Where the roles are granted: on the path, or on one above that hands them down. */
  readonly grantOn: string;
  /** True where paths below have to inherit it: what they hide is in no list, and no answer says so. */
  readonly handedDown?: true;
  /**
   * True where nothing is refused without it, but jobs are not seen. Hosts that have no such jobs do not need
   * it, so its lack is a warning.
   */
  readonly onlySees?: true;
}

/** The smallest built-in role with each privilege: PBS has no custom roles. */
const PBS_ROLES: Readonly<Record<string, string>> = {
  'Sys.Audit': 'Audit',
  'Sys.Modify': 'Admin',
  'Sys.PowerManagement': 'Admin',
  'Datastore.Audit': 'DatastoreAudit',
  'Datastore.Modify': 'DatastoreAdmin',
  'Datastore.Verify': 'DatastoreReader',
  'Datastore.Read': 'DatastoreReader',
  'Remote.Audit': 'RemoteAudit',
  'Tape.Audit': 'TapeAudit',
};
/** A privilege may be a server's word. */
const pbsRole = (privilege: string): string =>
  (Object.hasOwn(PBS_ROLES, privilege) ? PBS_ROLES[privilege] : undefined) ?? 'Admin';

/** What the role DatastoreAdmin holds. */
const DATASTORE_ADMIN = /^Datastore\.(?!Allocate$)/;

/** What the PBS token needs. @see PBS API schema, `permissions` of each endpoint */
export function neededOnPbs(
  datastores: readonly string[],
  { fence, unit }: { fence: boolean; unit: string | null },
): Need[] {
  const need = (path: string, privilege: string, why: string, grantOn = path): Need => ({
    path,
    anyOf: [privilege],
    why,
    roles: [pbsRole(privilege)],
    grantOn,
  });
  return [
    need('/', 'Sys.Audit', 'see packages and repositories'),
    need('/', 'Sys.Modify', 'refresh the package lists'),
    need('/system/status', 'Sys.Audit', 'see uptime and kernel', '/'),
    need('/system/status', 'Sys.PowerManagement', 'reboot'),
    need('/system/tasks', 'Sys.Audit', 'see the tasks of others', '/'),
    need('/system/services', 'Sys.Audit', 'see services', '/'),
    need('/system/log', 'Sys.Audit', 'ask the privileged daemon', '/'),
    // Without these two, lists are shorter without notice.
    { ...need('/remote', 'Remote.Audit', 'see sync jobs with a remote'), onlySees: true },
    { ...need('/tape/job', 'Tape.Audit', 'see tape jobs', '/tape'), onlySees: true },
    {
      ...need('/datastore', 'Datastore.Audit', 'see every datastore', '/'),
      roles: ['Audit'],
      handedDown: true,
    },
    ...(unit === null ? [] : [need(`/system/services/${unit}`, 'Sys.Modify', 'start the upgrade unit')]),
    ...datastores.flatMap((name) => [
      { ...need(`/datastore/${name}`, 'Datastore.Audit', 'see the datastore', '/'), roles: ['Audit'] },
      ...(fence ? [need(`/datastore/${name}`, 'Datastore.Modify', 'set its maintenance mode')] : []),
    ]),
  ];
}

const AUDIT = 'PbsCtlAudit';
const GUEST = 'PbsCtlVM';
const TAGS = 'PbsCtlTags';
/** Only for `recover`: no run needs it, but it is not too much either. */
const RECOVER = 'PbsCtlRecover';

/**
 * The roles to create on PVE. PVE 9 has replaced VM.Monitor, and each version refuses the privileges of the
 * other.
 * @param major null: unknown
 */
const pveRole = (name: string, major: number | null): readonly string[] => {
  const agent = [
    ...(major === null || major >= 9 ? ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'] : []),
    ...(major === null || major < 9 ? ['VM.Monitor'] : []),
  ];
  const roles: Readonly<Record<string, readonly string[]>> = {
    [AUDIT]: ['Sys.Audit', 'VM.Audit', 'Datastore.Audit'],
    [GUEST]: ['VM.Audit', 'VM.Config.Options', ...agent],
    [TAGS]: ['Sys.Modify'],
    [RECOVER]: ['VM.PowerMgmt', 'VM.Console'],
  };
  return roles[name] ?? [];
};

/**
 * What the PVE token needs in one cluster.
 * @param major of PVE; null: unknown
 * @param guests vmids of the PBS hosts. Also with the service method: mounts and boots are looked at from inside.
 * @param carrier vmid of the lock carrier, null where there is none
 */
export function neededOnPve(
  major: number | null,
  {
    guests,
    carrier,
    registeredTags,
  }: { guests: readonly number[]; carrier: number | null; registeredTags: boolean },
): Need[] {
  const audit = (path: string, privilege: string, why: string): Need => ({
    // "/" itself is asked of alone, everything else is seen below its path.
    ...(path === '/' ? {} : { handedDown: true }),
    path,
    anyOf: [privilege],
    why,
    roles: [AUDIT],
    grantOn: '/',
  });
  const onGuest = (vmid: number, anyOf: readonly string[], why: string): Need => ({
    path: `/vms/${vmid}`,
    anyOf,
    why,
    // An entry on a guest replaces what the guest inherits, so it repeats the audit role.
    roles: [AUDIT, GUEST],
    grantOn: `/vms/${vmid}`,
  });
  const agent = pveRole(GUEST, major).filter((each) => /^VM\.(Monitor|GuestAgent\.Unrestricted)$/.test(each));
  return [
    audit('/', 'Sys.Audit', 'see backup jobs, tasks and membership'),
    audit('/nodes', 'Sys.Audit', 'see clocks, uptime and packages of the nodes'),
    audit('/storage', 'Datastore.Audit', 'see which storages are this host'),
    audit('/vms', 'VM.Audit', 'see guests and their tags'),
    ...guests.flatMap((vmid) => [
      onGuest(vmid, agent, 'upgrade through the guest agent'),
      onGuest(vmid, ['VM.Audit'], 'see the VM of this host'),
    ]),
    ...(carrier === null || guests.includes(carrier)
      ? []
      : [onGuest(carrier, ['VM.Audit'], 'read the lock tag')]),
    ...(carrier === null ? [] : [onGuest(carrier, ['VM.Config.Options'], 'set the lock tag')]),
    ...(registeredTags
      ? [
          {
            path: '/',
            anyOf: ['Sys.Modify'],
            why: 'write the registered tags',
            roles: [TAGS],
            grantOn: '/',
          },
        ]
      : []),
  ];
}

/** Path by path, the privileges that a token holds there. */
export type Held = ReadonlyMap<string, HeldPrivileges>;

/**
 * The privileges on every path that the needs name, and where they are granted. One request lists those of all
 * paths with separate entries; a path that is missing there inherits some or has none, which takes a request for it.
 */
export async function heldOn(
  client: Pick<Client, 'listedPermissions' | 'permissions'>,
  needs: readonly Need[] | Promise<readonly Need[]>,
): Promise<Held> {
  const [listed, known] = await Promise.all([client.listedPermissions(), needs]);
  const paths = [...new Set(known.flatMap(({ path, grantOn }) => [path, grantOn]))];
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, listed.get(path) ?? (await client.permissions(path))] as const),
    ),
  );
}

/**
 * The needs that are not met. Where the path from which a need would be inherited hands the privilege down,
 * the path itself has an entry that replaces it, so the grant goes there.
 */
export function unmet(needs: readonly Need[], held: Held): Need[] {
  const handsDown = ({ grantOn, anyOf }: Need) =>
    anyOf.some((privilege) => held.get(grantOn)?.get(privilege) === true);
  return needs
    .filter(({ path, anyOf, handedDown: below }) =>
      anyOf.every((privilege) => {
        const privileges = held.get(path);
        return below ? privileges?.get(privilege) !== true : !privileges?.has(privilege);
      }),
    )
    .map((need) => (handsDown(need) ? { ...need, grantOn: need.path } : need));
}

/** What is missing, each path and privilege once. */
export function describeNeeds(needs: readonly Need[]): string {
  const reasons = new Map<string, string[]>();
  for (const { anyOf, path, why, handedDown } of needs) {
    const line = `${anyOf.join(' or ')} on ${path}${handedDown ? ' and below' : ''} is missing`;
    reasons.set(line, [...(reasons.get(line) ?? []), why]);
  }
  return [...reasons].map(([line, whys]) => `${line} (to ${whys.join(', ')})`).join('; ');
}

/**
 * The commands that grant these needs to the token and to its user: in both products a token may do only what
 * its user may do too. They can be repeated: existing roles are corrected.
 * @param major of PVE; null: unknown, so both forms are shown
 */
export function grants(
  product: Product,
  token: string,
  needs: readonly Need[],
  major: number | null = null,
): string[] {
  const entries = new Map<string, Set<string>>();
  for (const { grantOn, roles } of needs)
    entries.set(grantOn, new Set([...(entries.get(grantOn) ?? []), ...roles]));
  if (product === 'pbs') {
    return [...entries].flatMap(([path, roles]) => [...roles].map((role) => entryOnPbs(token, path, role)));
  }
  const roles = [...new Set(needs.flatMap((need) => need.roles))];
  return [
    ...roles.flatMap((role) => roleOnPve(role, major)),
    ...[...entries].map(([path, granted]) => entryOnPve(token, path, [...granted].join())),
  ];
}

/** The command that grants what a refusal names; on PVE by adding it to one of our roles. */
export function grantCommand(product: Product, token: string, { privilege, path }: Privilege): string {
  if (product === 'pbs') return entryOnPbs(token, path, pbsRole(privilege));
  const role = [AUDIT, GUEST, TAGS].find((name) => pveRole(name, null).includes(privilege)) ?? RECOVER;
  // An entry on a guest replaces what the guest inherits, so it repeats the privilege to see it.
  const privileges =
    path.startsWith('/vms') && privilege !== 'VM.Audit' ? `VM.Audit ${privilege}` : privilege;
  const added = `pveum role modify ${role} -append 1 -privs "${privileges}" 2>/dev/null || pveum role add ${role} -privs "${privileges}"`;
  return `${added} && ${entryOnPve(token, path, role)}`;
}

/** Adds a user without a password, and a token with separate privileges. The last command prints the secret, once. */
export function createToken(product: Product, token: string): string[] {
  const { user, name } = tokenParts(token);
  return product === 'pve'
    ? [
        `pveum user add ${quoted(user)} -comment "pbs-ctl"`,
        `pveum user token add ${quoted(user)} ${name} -privsep 1`,
      ]
    : [
        `proxmox-backup-manager user create ${quoted(user)} --comment "pbs-ctl"`,
        `proxmox-backup-manager user generate-token ${quoted(user)} ${name}`,
      ];
}

/** What may be held without a remark: on exactly a path, or inherited below it. */
export type Allowed = (path: string, privilege: string, spreads: boolean) => boolean;

/** What these needs, their roles and `recover` use, and everything that only reads. */
export function allowedBy(product: Product, needs: readonly Need[]): Allowed {
  return (path, privilege, spreads) =>
    /\.Audit$|^Sys\.Syslog$/.test(privilege) ||
    // What DatastoreReader holds beside: `verifyRead` makes use of it.
    (product === 'pbs' && /^Datastore\.(?:Read|Verify)$/.test(privilege)) ||
    needs.some(({ grantOn, roles }) =>
      product === 'pbs'
        ? // Where Admin is the smallest role, all of it counts as needed, on that path alone.
          (roles.includes('Admin') && path === grantOn && !spreads) ||
          (roles.includes('DatastoreAdmin') &&
            /^\/datastore\/./.test(path) &&
            DATASTORE_ADMIN.test(privilege))
        : path === grantOn &&
          [...roles, ...(roles.includes(GUEST) ? [RECOVER] : [])].some((role) =>
            pveRole(role, null).includes(privilege),
          ),
    );
}

/** Ids are in single quotes: in double quotes an interactive shell expands "!" from its history. */
function entryOnPbs(token: string, path: string, role: string): string {
  // Admin only on exactly this path: everything below keeps the roles it has.
  const scope = role === 'Admin' ? ' --propagate false' : '';
  return `for id in '${tokenParts(token).user}' '${token}'; do proxmox-backup-manager acl update ${path} ${role} --auth-id "$id"${scope}; done`;
}

/** $who is split but not parsed again, so quotes in it would reach pveum. */
const entryOnPve = (token: string, path: string, roles: string) =>
  `for who in '-user ${tokenParts(token).user}' '-token ${token}'; do pveum acl modify ${path} $who -role ${roles}; done`;

function roleOnPve(name: string, major: number | null): string[] {
  const command = (version: number | null) => {
    const privileges = `-privs "${pveRole(name, version).join(' ')}"`;
    return `pveum role modify ${name} ${privileges} 2>/dev/null || pveum role add ${name} ${privileges}`;
  };
  if (major !== null || name !== GUEST) return [command(major)];
  return [`${command(9)}    # PVE 9`, `${command(8)}    # PVE 8`];
}

/** For a shell; user names hold "@" and little else that matters. */
const quoted = (text: string) => (/^[\w@.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
