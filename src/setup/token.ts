import { prolonging, type TokenFacts } from '../api/account.js';
import type { Client, HeldPrivileges } from '../api/client.js';
import { ApiFault, refusedBecause } from '../api/failure.js';
import { type Allowed, allowedBy, type Need } from '../api/privileges.js';
import { type Product, tokenParts } from '../api/token.js';
import { errorDocument, type Fix } from '../fault.js';
import { isoFromSeconds } from '../moment.js';
import { tokenEnd } from '../rules/token-end.js';
import { about, failed, type SetupFinding } from './finding.js';

/** A token of the config. */
interface KnownToken {
  readonly subject: string;
  readonly product: Product;
  readonly token: string;
  /** The machine on which its commands are run. */
  readonly where: string;
}

/**
 * A token that is accepted: until when?
 * @param facts null: the token may not see them
 * @param now epoch milliseconds
 * @param takes how long a run needs, seconds
 */
export function judgeToken(
  { subject, product, token, where }: KnownToken,
  version: string,
  facts: TokenFacts | Error,
  now: number,
  takes: number,
): SetupFinding {
  const { pass, warn, block } = about(subject, 'token');
  const accepted = `${token} is accepted (${product.toUpperCase()} ${version})`;
  if (facts instanceof Error)
    return pass(`${accepted}; expiry unknown: ${errorDocument(facts).message}`, { detail: { version } });
  const end = tokenEnd(facts, now / 1000, takes);
  const detail = { version, expiresAt: end.at === null ? null : isoFromSeconds(end.at) };
  const unknown = end.unknown === null ? '' : `; ${end.unknown}`;
  if (end.words === null) return pass(`${accepted} and does not expire${unknown}`, { detail });
  const words = `${accepted}; it ${end.words}${unknown}`;
  if (end.status === 'pass') return pass(words, { detail });
  const prolong = prolonging(product, token);
  const fixes = [{ where, commands: end.soon.map((who) => prolong[who]) }];
  return end.status === 'block'
    ? block(`${words}, before a run would be over`, { fixes, detail })
    : warn(words, { fixes, detail });
}

/** What puts a user or a token right, on a shell of its server. */
function commandsFor(product: Product, token: string) {
  const { user, name } = tokenParts(token);
  if (product === 'pve') {
    return {
      look: ['pveum user list', `pveum user token list ${user}`],
      enableUser: `pveum user modify ${user} -enable 1 -expire 0`,
      enableToken: `pveum user token modify ${user} ${name} -expire 0`,
      newSecret: `pveum user token modify ${user} ${name} --regenerate 1`,
      remove: [`pveum user token remove ${user} ${name}`],
      add: `pveum user token add ${user} ${name} -privsep 1`,
    };
  }
  // No other command of PBS reaches a token: only this one keeps its ACL entries.
  const change = `proxmox-backup-debug api set /access/users/${user}/token/${name}`;
  return {
    look: ['proxmox-backup-manager user list', `proxmox-backup-manager user list-tokens ${user}`],
    enableUser: `proxmox-backup-manager user update ${user} --enable 1 --expire 0`,
    enableToken: `${change} --enable 1 --expire 0`,
    newSecret: `${change} --regenerate 1`,
    remove: [],
    add: `proxmox-backup-manager user generate-token ${user} ${name}`,
  };
}

/**
 * A token that is not accepted, or a server that cannot be asked.
 * @param all what grants a new token all that it needs; empty where that is not known
 */
export function refusedToken(
  { subject, product, token, where }: KnownToken,
  error: unknown,
  all: readonly string[],
): SetupFinding {
  if (!(error instanceof ApiFault && error.denied === 'token')) return failed(subject, 'token', error);
  const reason = refusedBecause(error.serverWords);
  const { look, enableUser, enableToken, newSecret, remove, add } = commandsFor(product, token);
  const [kept, anew] =
    product === 'pve'
      ? [
          'for a new secret, from PVE 9.2 on',
          'for a new secret, before PVE 9.2, or where the token is missing',
        ]
      : ['for a new secret', 'where the token is missing'];
  const disabled = [
    { where, commands: look },
    { where: `${where}, where the user is disabled or has expired`, commands: [enableUser] },
    {
      where: `${where}, where the token ${product === 'pbs' ? 'is disabled or ' : ''}has expired`,
      commands: [enableToken],
    },
  ];
  const secret = { where: `${where}, ${kept}`, commands: [newSecret] };
  const missing = { where: `${where}, ${anew}`, commands: [...remove, add, ...all] };
  const fixes = {
    secret: [secret],
    disabled: [...disabled, missing],
    unknown: [...disabled, secret, missing],
  }[reason];
  return { ...failed(subject, 'token', error, fixes), hint: HINTS[reason] };
}

const NEW =
  'A new secret is printed once. A token that is deleted loses its privileges; doctor prints what a new one lacks.';
const HINTS: Readonly<Record<ReturnType<typeof refusedBecause>, string>> = {
  secret: `User and token are good, only the secret is wrong. ${NEW}`,
  disabled: `The user or the token is missing, disabled or expired. ${NEW}`,
  unknown: `The secret is wrong, or the user or the token is missing, disabled or expired: the server does not say which. ${NEW}`,
};

/**
 * Does the token have more than it needs?
 * @param server whose token it is
 * @param all grants everything needed: a token whose privileges become separated has none at first
 */
export async function examineExcess(
  known: KnownToken,
  server: Pick<Client, 'listedPermissions'>,
  { needs, separated, all }: { needs: readonly Need[]; separated: boolean; all: readonly string[] },
): Promise<SetupFinding> {
  const { pass, warn } = about(known.subject, 'excess');
  const excess = excessOf(await server.listedPermissions(), allowedBy(known.product, needs));
  if (excess.length === 0) return pass('the token has no more privileges than it needs');
  const shared = separated
    ? ''
    : ' (its privileges are not separated: it may do everything that its user may)';
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

/** Privileges beyond what a run needs, on one path. */
interface Excess {
  readonly path: string;
  readonly privileges: readonly string[];
  /** Also on everything below. */
  readonly spreads: boolean;
}

/** What is held beyond that, without what a path above is named for already. */
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
