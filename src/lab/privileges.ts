import type { Access } from './access.js';
import type { PveVersion } from './pve/state.js';

// The least that the README tells people to grant, and nothing more, so that the lab proves it to be enough.

const PBS_ADMIN = [
  'Sys.Audit',
  'Sys.Modify',
  'Sys.PowerManagement',
  'Sys.Console',
  'Datastore.Audit',
  'Datastore.Modify',
  'Permissions.Modify',
];
const DATASTORE_ADMIN = [
  'Datastore.Audit',
  'Datastore.Modify',
  'Datastore.Read',
  'Datastore.Verify',
  'Datastore.Backup',
  'Datastore.Prune',
];

export function grantPbs(access: Access, datastores: readonly string[]): void {
  access.grant('/', ['Sys.Audit', 'Datastore.Audit']);
  access.grant('/', PBS_ADMIN, false);
  access.grant('/system/status', PBS_ADMIN, false);
  access.grant('/remote', ['Remote.Audit']);
  access.grant('/tape', ['Tape.Audit']);
  for (const name of datastores) access.grant(`/datastore/${name}`, DATASTORE_ADMIN);
}

export function grantPve(access: Access, version: PveVersion, vmids: readonly number[]): void {
  const audit = ['Sys.Audit', 'VM.Audit', 'Datastore.Audit'];
  const agent = version === '8.4' ? ['VM.Monitor'] : ['VM.GuestAgent.Audit', 'VM.GuestAgent.Unrestricted'];
  access.grant('/', audit);
  for (const vmid of vmids) access.grant(`/vms/${vmid}`, [...audit, 'VM.Config.Options', ...agent]);
}
