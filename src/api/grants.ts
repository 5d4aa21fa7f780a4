/** Commands of one machine, in the order in which they are run there. */
export interface Commands {
  /** Where they are run: "pbs01", "a node of main", "here". */
  readonly where: string;
  readonly commands: readonly string[];
}

const AUDIT = 'PbsCtlAudit';
const GUEST = 'PbsCtlVM';
const TAGS = 'PbsCtlTags';

export interface PveGrants {
  readonly token: string;
  /** Major version of PVE; null: not known yet, so both forms are shown. */
  readonly major: number | null;
  /** Guests that are upgraded through their agent, or carry the lock tag. */
  readonly vmids: readonly number[];
  readonly registeredTags: boolean;
}

/** Adds a user without a password and a token of its own privileges. The secret is printed once, by the last command. */
export function createOnPve(token: string): string[] {
  const { user, name } = partsOf(token);
  return [
    `pveum user add ${quoted(user)} -comment "pbs-ctl"`,
    `pveum user token add ${quoted(user)} ${name} -privsep 1`,
  ];
}

export function createOnPbs(token: string): string[] {
  const { user, name } = partsOf(token);
  return [
    `proxmox-backup-manager user create ${quoted(user)} --comment "pbs-ctl"`,
    `proxmox-backup-manager user generate-token ${quoted(user)} ${name}`,
  ];
}

/** The least that a run needs in a cluster. Can be run again: roles that are there are corrected. */
export function grantOnPve({ token, major, vmids, registeredTags }: PveGrants): string[] {
  const { user } = partsOf(token);
  // In single quotes, since an interactive shell takes "!" for its history also in double ones.
  const who = `for who in '-user ${user}' '-token ${token}'; do`;
  return [
    role(AUDIT, ['Sys.Audit', 'VM.Audit', 'Datastore.Audit']),
    ...(vmids.length > 0 ? guestRoles(major) : []),
    ...(registeredTags ? [role(TAGS, ['Sys.Modify'])] : []),
    `${who} pveum acl modify / $who -role ${registeredTags ? `${AUDIT},${TAGS}` : AUDIT}; done`,
    // An entry on a guest replaces what the guest inherits, so the audit role stands there again.
    ...vmids.map((vmid) => `${who} pveum acl modify /vms/${vmid} $who -role ${AUDIT},${GUEST}; done`),
  ];
}

function guestRoles(major: number | null): string[] {
  const on9 = role(GUEST, [
    'VM.Audit',
    'VM.Config.Options',
    'VM.GuestAgent.Audit',
    'VM.GuestAgent.Unrestricted',
  ]);
  // PVE 9 has replaced VM.Monitor, and each refuses the privileges of the other.
  const on8 = role(GUEST, ['VM.Audit', 'VM.Config.Options', 'VM.Monitor']);
  if (major === null) return [`${on9}    # PVE 9`, `${on8}    # PVE 8`];
  return [major >= 9 ? on9 : on8];
}

const role = (name: string, privileges: readonly string[]) =>
  `pveum role modify ${name} -privs "${privileges.join(' ')}" 2>/dev/null || pveum role add ${name} -privs "${privileges.join(' ')}"`;

export interface PbsGrants {
  readonly token: string;
  readonly datastores: readonly string[];
  readonly fence: boolean;
  /** Unit that is started to upgrade; null where the guest agent does it. */
  readonly unit: string | null;
}

/** The least that a run needs on a PBS. */
export function grantOnPbs({ token, datastores, fence, unit }: PbsGrants): string[] {
  const { user } = partsOf(token);
  const entry = (path: string, name: string, propagate = true) =>
    `for id in '${user}' '${token}'; do proxmox-backup-manager acl update ${path} ${name} --auth-id "$id"${propagate ? '' : ' --propagate false'}; done`;
  return [
    entry('/', 'Audit'),
    entry('/', 'Admin', false),
    entry('/system/status', 'Admin', false),
    entry('/remote', 'RemoteAudit'),
    entry('/tape', 'TapeAudit'),
    ...(unit === null ? [] : [entry(`/system/services/${unit}`, 'Admin', false)]),
    ...(fence ? datastores.map((name) => entry(`/datastore/${name}`, 'DatastoreAdmin')) : []),
  ];
}

const partsOf = (token: string) => {
  const [user = token, name = ''] = token.split('!');
  return { user, name };
};

/** For a shell; user names hold "@" and little else that matters. */
const quoted = (text: string) => (/^[\w@.-]+$/.test(text) ? text : `'${text.replaceAll("'", "'\\''")}'`);
