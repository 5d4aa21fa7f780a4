import { z } from 'zod';
import { flag, number, optional, text, textOrNumber } from './answer.js';
import type { Look } from './client.js';
import { at } from './request.js';
import { type Product, tokenParts } from './token.js';

/** What a server reports about a token. */
export interface TokenFacts {
  /** Epoch seconds; null: never. */
  readonly expiresAt: number | null;
  /** The same of its user, without which no token of it is accepted; undefined where the server does not say. */
  readonly userExpiresAt: number | null | undefined;
  /** False: it may do everything that its user may. Always true on PBS. */
  readonly separated: boolean;
  /** What the server did not say, and why. */
  readonly unknown?: string;
}

/** 0 means never, in both products. */
const expiry = optional(number).transform((seconds) => (seconds === null || seconds === 0 ? null : seconds));

/**
 * Of a user of PVE and its tokens. Needs Sys.Audit on /access/groups, which one on "/" includes.
 * @see PVE::API2::User, read_user
 */
export function pveToken(tokenId: string): Look<TokenFacts> {
  const { user, name } = tokenParts(tokenId);
  const Token = z.object({ expire: expiry, privsep: optional(flag) });
  return {
    path: at`/access/users/${user}`,
    answer: z
      .object({ expire: expiry, tokens: z.record(z.string(), Token).nullish() })
      .transform(({ expire, tokens }) => {
        const token = tokens?.[name];
        return {
          expiresAt: token?.expire ?? null,
          userExpiresAt: expire,
          // PVE leaves the default out.
          separated: token?.privsep ?? true,
        };
      }),
  };
}

/**
 * When a token of PBS and its user expire, one request each. Needs Sys.Audit on /access/users.
 * @see src/api2/access/user.rs, read_token and read_user
 */
export function pbsExpiry(tokenId: string): {
  readonly token: Look<number | null>;
  readonly user: Look<number | null>;
} {
  const { user, name } = tokenParts(tokenId);
  const answer = z.object({ expire: expiry }).transform(({ expire }) => expire);
  return {
    token: { path: at`/access/users/${user}/token/${name}`, answer },
    user: { path: at`/access/users/${user}`, answer },
  };
}

/** What lets a token, or its user, be accepted longer: on a shell of its server. */
export function prolonging(product: Product, tokenId: string): Readonly<Record<'token' | 'user', string>> {
  const { user, name } = tokenParts(tokenId);
  return product === 'pve'
    ? {
        token: `pveum user token modify ${user} ${name} -expire 0`,
        user: `pveum user modify ${user} -expire 0`,
      }
    : {
        // No other command of PBS reaches a token: only this one keeps its ACL entries.
        token: `proxmox-backup-debug api set /access/users/${user}/token/${name} --expire 0`,
        user: `proxmox-backup-manager user update ${user} --expire 0`,
      };
}

/** Lets a token set lock tags: without it PVE asks for Sys.Modify on "/", which is far more than a run needs. */
export const ALLOW_TAGS = 'pvesh set /cluster/options --user-tag-access user-allow=free';

/** SHA-256 fingerprints of the certificates of the nodes, as the cluster itself knows them. */
export const nodeFingerprints: Look<ReadonlyMap<string, string>> = {
  path: '/nodes',
  answer: z
    .array(z.object({ node: textOrNumber, ssl_fingerprint: optional(text) }))
    .transform(
      (nodes) =>
        new Map(
          nodes.flatMap(({ node, ssl_fingerprint: print }) =>
            print === null ? [] : [[node, print.toUpperCase()] as const],
          ),
        ),
    ),
};

/** Addresses of the nodes in the cluster's own network. */
export const nodeAddresses: Look<ReadonlyMap<string, string>> = {
  path: '/cluster/status',
  answer: z
    .array(z.object({ type: text, name: textOrNumber, ip: optional(text) }))
    .transform(
      (entries) =>
        new Map(
          entries.flatMap(({ type, name, ip }) =>
            type === 'node' && ip !== null ? [[name, ip] as const] : [],
          ),
        ),
    ),
};

/** Addresses of a guest as its agent reports them, without loopback. Throws where it does not run. */
export function guestAddresses(node: string, vmid: number): Look<readonly string[]> {
  const Interface = z.object({
    'ip-addresses': z.array(z.object({ 'ip-address': text })).nullish(),
  });
  return {
    path: at`/nodes/${node}/qemu/${vmid}/agent/network-get-interfaces`,
    answer: z
      .object({ result: z.array(Interface) })
      .transform(({ result }) =>
        result
          .flatMap((each) => (each['ip-addresses'] ?? []).map((address) => address['ip-address']))
          .filter((address) => !/^(127\.|::1$|fe80:)/i.test(address)),
      ),
  };
}
