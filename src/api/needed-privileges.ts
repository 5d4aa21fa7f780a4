/** A privilege that a run needs, why, and the command that grants it. */
export interface Need {
  readonly path: string;
  /** Any one of them is enough. */
  readonly anyOf: readonly string[];
  readonly why: string;
  readonly grant: string;
  /**
   * True where nothing is refused without it, and jobs are merely not told of. Hosts that have no such jobs
   * do without it, so its lack is a warning.
   */
  readonly onlySees?: true;
}

/** What the PBS token needs. @see PBS API schema, `permissions` of each endpoint */
export function neededOnPbs(
  token: string,
  datastores: readonly string[],
  { fence, unit }: { fence: boolean; unit: string | null },
): Need[] {
  const user = token.split('!')[0] ?? token;
  const acl = (path: string, role: string, rest = '') =>
    `for id in '${user}' '${token}'; do proxmox-backup-manager acl update ${path} ${role} --auth-id "$id"${rest}; done`;
  const need = (path: string, privilege: string, why: string, grant: string): Need => ({
    path,
    anyOf: [privilege],
    why,
    grant,
  });
  return [
    need('/', 'Sys.Audit', 'see packages and repositories', acl('/', 'Audit')),
    need('/', 'Sys.Modify', 'refresh the package lists', acl('/', 'Admin', ' --propagate false')),
    need('/system/status', 'Sys.Audit', 'see uptime and kernel', acl('/', 'Audit')),
    need(
      '/system/status',
      'Sys.PowerManagement',
      'reboot',
      acl('/system/status', 'Admin', ' --propagate false'),
    ),
    need('/system/tasks', 'Sys.Audit', 'see the tasks of others', acl('/', 'Audit')),
    need('/system/services', 'Sys.Audit', 'see services', acl('/', 'Audit')),
    need('/system/log', 'Sys.Audit', 'ask the privileged daemon', acl('/', 'Audit')),
    // Without these two the lists are shorter, and nobody says so.
    {
      ...need('/remote', 'Remote.Audit', 'see sync jobs with a remote', acl('/remote', 'RemoteAudit')),
      onlySees: true,
    },
    { ...need('/tape/job', 'Tape.Audit', 'see tape jobs', acl('/tape', 'TapeAudit')), onlySees: true },
    ...(unit === null
      ? []
      : [
          need(
            `/system/services/${unit}`,
            'Sys.Modify',
            'start the upgrade unit',
            acl(`/system/services/${unit}`, 'Admin', ' --propagate false'),
          ),
        ]),
    ...datastores.flatMap((name) => [
      need(`/datastore/${name}`, 'Datastore.Audit', 'see the datastore', acl('/', 'Audit')),
      ...(fence
        ? [
            need(
              `/datastore/${name}`,
              'Datastore.Modify',
              'set its maintenance mode',
              acl(`/datastore/${name}`, 'DatastoreAdmin'),
            ),
          ]
        : []),
    ]),
  ];
}

/** What the PVE token needs in one cluster; `guest` and `carrier` are vmids, null where they are not there. */
export function neededOnPve(
  token: string,
  major: number,
  {
    guest,
    carrier,
    registeredTags,
  }: { guest: number | null; carrier: number | null; registeredTags: boolean },
): Need[] {
  const user = token.split('!')[0] ?? token;
  const acl = (path: string, role: string) =>
    // $who is split and not read again, so quotes within it would reach pveum.
    `for who in '-user ${user}' '-token ${token}'; do pveum acl modify ${path} $who -role ${role}; done`;
  const agent = major >= 9 ? 'VM.GuestAgent.Unrestricted' : 'VM.Monitor';
  return [
    {
      path: '/',
      anyOf: ['Sys.Audit'],
      why: 'see backup jobs, tasks and membership',
      grant: acl('/', 'PbsCtlAudit'),
    },
    {
      path: '/nodes',
      anyOf: ['Sys.Audit'],
      why: 'see clocks, uptime and packages of the nodes',
      grant: acl('/', 'PbsCtlAudit'),
    },
    {
      path: '/storage',
      anyOf: ['Datastore.Audit'],
      why: 'see which storages are this host',
      grant: acl('/', 'PbsCtlAudit'),
    },
    { path: '/vms', anyOf: ['VM.Audit'], why: 'see guests and their tags', grant: acl('/', 'PbsCtlAudit') },
    ...(guest === null
      ? []
      : [
          {
            path: `/vms/${guest}`,
            anyOf: [agent],
            why: 'upgrade through the guest agent',
            grant: acl(`/vms/${guest}`, 'PbsCtlAudit,PbsCtlVM'),
          },
        ]),
    ...(guest === null
      ? []
      : [
          {
            path: `/vms/${guest}`,
            anyOf: ['VM.Audit'],
            why: 'see the VM of this host',
            grant: acl(`/vms/${guest}`, 'PbsCtlAudit,PbsCtlVM'),
          },
        ]),
    ...(carrier === null || carrier === guest
      ? []
      : [
          {
            path: `/vms/${carrier}`,
            anyOf: ['VM.Audit'],
            why: 'read the lock tag',
            grant: acl(`/vms/${carrier}`, 'PbsCtlAudit,PbsCtlVM'),
          },
        ]),
    ...(carrier === null
      ? []
      : [
          {
            path: `/vms/${carrier}`,
            anyOf: ['VM.Config.Options'],
            why: 'set the lock tag',
            grant: acl(`/vms/${carrier}`, 'PbsCtlAudit,PbsCtlVM'),
          },
        ]),
    ...(registeredTags
      ? [
          {
            path: '/',
            anyOf: ['Sys.Modify'],
            why: 'write the registered tags',
            grant: acl('/', 'PbsCtlTags'),
          },
        ]
      : []),
  ];
}

/** The needs that are not met, each in one line with its mend. */
export function unmet(needs: readonly Need[], held: ReadonlyMap<string, ReadonlySet<string>>): Need[] {
  return needs.filter(({ path, anyOf }) => !anyOf.some((privilege) => held.get(path)?.has(privilege)));
}

export const describeNeed = ({ path, anyOf, why }: Need) =>
  `${anyOf.join(' or ')} on ${path} is missing (to ${why})`;

/**
 * The privileges on every path that the needs name. One question tells those of all paths with entries of
 * their own; a path that is missing there inherits or has none, and only asking for it tells which.
 */
export async function heldOn(
  client: {
    listedPermissions(): Promise<ReadonlyMap<string, ReadonlySet<string>>>;
    permissions(path: string): Promise<ReadonlySet<string>>;
  },
  needs: readonly Need[] | Promise<readonly Need[]>,
): Promise<Map<string, ReadonlySet<string>>> {
  const [listed, known] = await Promise.all([client.listedPermissions(), needs]);
  const paths = [...new Set(known.map(({ path }) => path))];
  return new Map(
    await Promise.all(
      paths.map(async (path) => [path, listed.get(path) ?? (await client.permissions(path))] as const),
    ),
  );
}
