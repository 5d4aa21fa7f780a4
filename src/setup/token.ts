import type { TokenFacts } from '../api/account.js';
import type { Client, HeldPrivileges } from '../api/client.js';
import { type Allowed, allowedBy, type Need } from '../api/privileges.js';
import { type Product, tokenParts } from '../api/token.js';
import { Fault, type Fix } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import { about, failed, type SetupFinding } from './finding.js';

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

/** A token of the config, and what it is looked at for. */
interface KnownToken {
  readonly subject: string;
  readonly product: Product;
  readonly token: string;
  /** The machine on which its commands are run. */
  readonly where: string;
}

/**
 * A token that is accepted: until when?
 * @param facts null: the server does not tell this token
 * @param now epoch milliseconds
 */
export function judgeToken(
  { subject, product, token, where }: KnownToken,
  version: string,
  facts: TokenFacts | null,
  now: number,
): SetupFinding {
  const { pass, warn } = about(subject, 'token');
  const accepted = `${token} is accepted (${product.toUpperCase()} ${version})`;
  if (!facts) return pass(`${accepted}; expiry unknown`, { detail: { version } });
  const expiresAt = facts.expiresAt === null ? null : isoFromSeconds(facts.expiresAt);
  const detail = { version, expiresAt };
  if (!expiresAt) return pass(`${accepted} and does not expire`, { detail });
  const days = Math.floor((Date.parse(expiresAt) - now) / DAY_MS);
  const words = `${accepted} until ${expiresAt.slice(0, 10)} (${days} days)`;
  if (days >= WARN_DAYS) return pass(words, { detail });
  const { user, name } = tokenParts(token);
  const prolong =
    product === 'pbs'
      ? `proxmox-backup-debug api set /access/users/${user}/token/${name} --expire 0`
      : `pveum user token modify ${user} ${name} -expire 0`;
  return warn(words, { fixes: [{ where, commands: [prolong] }], detail });
}

/** A token that is not accepted, or a server that cannot be asked. */
export function refusedToken({ subject, product, token, where }: KnownToken, error: unknown): SetupFinding {
  if (!(error instanceof Fault && error.denied === 'token')) return failed(subject, 'token', error);
  const { user, name } = tokenParts(token);
  const commands =
    product === 'pbs'
      ? [
          `proxmox-backup-manager user list-tokens ${user}`,
          `proxmox-backup-manager user delete-token ${user} ${name}; proxmox-backup-manager user generate-token ${user} ${name}`,
        ]
      : [`pveum user token list ${user}`, `pveum user token add ${user} ${name} -privsep 1`];
  return {
    ...failed(subject, 'token', error, [{ where, commands }]),
    hint: 'The secret is wrong, or user or token are missing, disabled or expired: the server does not say which. A new secret is printed once. In PVE a token that is deleted loses its privileges, too.',
  };
}

/**
 * Does the token have more than it needs?
 * @param server whose token it is
 * @param all what grants all that is needed: a token that gets privileges of its own has none at first
 */
export async function examineExcess(
  known: KnownToken,
  server: Pick<Client, 'listedPermissions'>,
  { needs, separated, all }: { needs: readonly Need[]; separated: boolean; all: readonly string[] },
): Promise<SetupFinding> {
  const { pass, warn } = about(known.subject, 'excess');
  const excess = excessOf(await server.listedPermissions(), allowedBy(known.product, needs));
  if (excess.length === 0) return pass('the token has no more than it needs');
  const shared = separated ? '' : ' (it has no privileges of its own and may do all that its user may)';
  return warn(`the token may do more than a run needs${shared}: ${excess.map(describe).join('; ')}`, {
    fixes: [lessOf(known, separated, all)],
    detail: { excess, separated },
  });
}

function lessOf({ product, token, where }: KnownToken, separated: boolean, all: readonly string[]): Fix {
  const { user, name } = tokenParts(token);
  if (product === 'pbs') {
    // An entry is replaced by one of the same role, so the first two fix the usual case: Admin everywhere.
    return {
      where,
      commands: [
        `for id in '${user}' '${token}'; do proxmox-backup-manager acl update / Admin --auth-id "$id" --propagate false; done`,
        `proxmox-backup-manager user permissions '${token}'`,
        `proxmox-backup-manager acl update PATH ROLE --auth-id '${token}' --delete`,
      ],
    };
  }
  const commands = separated
    ? [
        `pveum user token permissions ${user} ${name}`,
        `pveum acl list | grep -e ${user}`,
        `pveum acl delete PATH -token '${token}' -roles ROLE`,
      ]
    : [`pveum user token modify ${user} ${name} -privsep 1`, ...all];
  return { where, commands };
}

/** More than a run needs, on one path. */
interface Excess {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Also on everything below. */
  readonly spreads: boolean;
}

/** What is held beyond that; what a path above has been named for already is left out. */
function excessOf(held: ReadonlyMap<string, HeldPrivileges>, isAllowed: Allowed): Excess[] {
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

function describe({ path, privileges, spreads }: Excess): string {
  const some = privileges.slice(0, SHOWN).join(', ');
  const more = privileges.length > SHOWN ? ` and ${privileges.length - SHOWN} more` : '';
  return `${some}${more} on ${path}${spreads ? ' and below' : ''}`;
}
