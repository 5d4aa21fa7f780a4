import type { Product } from './token.js';

/** A privilege on an ACL path, as the error messages and the grant commands name it. */
export interface Privilege {
  readonly privilege: string;
  readonly path: string;
}

/**
 * The command that grants a privilege to a token and its user: both products let a token do only what
 * its user may do as well.
 */
export function grantCommand(product: Product, tokenId: string, needed: Privilege): string {
  return product === 'pbs' ? grantOnPbs(tokenId, needed) : grantOnPve(tokenId, needed);
}

/** The smallest built-in role with the privilege: PBS knows no roles of one's own. */
const PBS_ROLES: Readonly<Record<string, string>> = {
  'Sys.Audit': 'Audit',
  'Datastore.Audit': 'DatastoreAudit',
  'Datastore.Modify': 'DatastoreAdmin',
  'Datastore.Verify': 'DatastoreReader',
  'Remote.Audit': 'RemoteAudit',
  'Tape.Audit': 'TapeAudit',
};

function grantOnPbs(tokenId: string, { privilege, path }: Privilege): string {
  const role = PBS_ROLES[privilege] ?? 'Admin';
  // Admin only on exactly this path: everything below keeps the roles it has.
  const scope = role === 'Admin' ? ' --propagate false' : '';
  return `for id in '${userOf(tokenId)}' '${tokenId}'; do proxmox-backup-manager acl update ${path} ${role} --auth-id "$id"${scope}; done`;
}

function grantOnPve(tokenId: string, { privilege, path }: Privilege): string {
  // An entry on a guest replaces what the guest inherits, so what it takes to see it is repeated.
  const privileges =
    path.startsWith('/vms') && privilege !== 'VM.Audit' ? `VM.Audit ${privilege}` : privilege;
  const role = `PbsCtl-${privilege}`;
  return [
    `pveum role add ${role} -privs "${privileges}"`,
    `pveum acl modify ${path} -user '${userOf(tokenId)}' -role ${role}`,
    `pveum acl modify ${path} -token '${tokenId}' -role ${role}`,
  ].join(' && ');
}

const userOf = (tokenId: string) => tokenId.replace(/!.*$/, '');
