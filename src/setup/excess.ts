import type { HeldEverywhere } from '../api/account.js';

/** More than a run needs, on one path. */
export interface Excess {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Also on everything below. */
  readonly spreads: boolean;
}

/** What may be held without a remark: on exactly a path, and inherited below it. */
export type Allowed = (path: string, privilege: string, spreads: boolean) => boolean;

const AUDIT = /\.Audit$/;

/** PBS has no roles of one's own: where Admin is the smallest one, all of it is taken as needed, on that path alone. */
export function allowedOnPbs(unit: string | null, fence: boolean): Allowed {
  const exact = new Set(['/', '/system/status', ...(unit === null ? [] : [`/system/services/${unit}`])]);
  return (path, privilege, spreads) =>
    AUDIT.test(privilege) ||
    (exact.has(path) && !spreads) ||
    // DatastoreAdmin is the smallest role with Datastore.Modify.
    (fence &&
      /^\/datastore\/./.test(path) &&
      privilege.startsWith('Datastore.') &&
      privilege !== 'Datastore.Allocate');
}

/** What PVE grants to start, reset and see the screen of a VM is what `recover` uses. */
const ON_GUEST = new Set([
  'VM.Config.Options',
  'VM.Monitor',
  'VM.GuestAgent.Unrestricted',
  'VM.PowerMgmt',
  'VM.Console',
]);

export function allowedOnPve(vmids: readonly number[], registeredTags: boolean): Allowed {
  const guests = new Set(vmids.map((vmid) => `/vms/${vmid}`));
  return (path, privilege) =>
    AUDIT.test(privilege) ||
    privilege === 'Sys.Syslog' ||
    (guests.has(path) && ON_GUEST.has(privilege)) ||
    (path === '/' && registeredTags && privilege === 'Sys.Modify');
}

/** What is held beyond that; what a path above has been named for already is left out. */
export function excessOf(held: HeldEverywhere, isAllowed: Allowed): Excess[] {
  const named: Excess[] = [];
  const paths = [...held.keys()].sort(
    (a, b) => a.split('/').length - b.split('/').length || (a < b ? -1 : 1),
  );
  for (const path of paths) {
    const above = (privilege: string) =>
      named.some(
        (each) =>
          each.spreads &&
          each.privileges.includes(privilege) &&
          (each.path === '/' || path.startsWith(`${each.path}/`)),
      );
    for (const spreads of [true, false]) {
      const privileges = [...(held.get(path) ?? [])]
        .filter(([privilege, inherited]) => inherited === spreads && !isAllowed(path, privilege, spreads))
        .map(([privilege]) => privilege)
        .filter((privilege) => !above(privilege))
        .sort();
      if (privileges.length > 0) named.push({ path, privileges, spreads });
    }
  }
  return named;
}

const SHOWN = 4;

export function describeExcess({ path, privileges, spreads }: Excess): string {
  const some = privileges.slice(0, SHOWN).join(', ');
  const more = privileges.length > SHOWN ? ` and ${privileges.length - SHOWN} more` : '';
  return `${some}${more} on ${path}${spreads ? ' and below' : ''}`;
}
