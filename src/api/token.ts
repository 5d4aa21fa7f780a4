import type { Secret } from '../config/secret.js';

export type Product = 'pbs' | 'pve';

/** An API token: its id, `user@realm!name`, and its secret. */
export interface Token {
  readonly id: string;
  readonly secret: Secret;
}

/** A privilege on an ACL path, as the error messages name it. */
export interface Privilege {
  readonly privilege: string;
  readonly path: string;
}

/** The user and the name in a token id. */
export function tokenParts(id: string): { readonly user: string; readonly name: string } {
  const [user = id, name = ''] = id.split('!');
  return { user, name };
}

/** The Authorization header. PBS puts ":" between id and secret, PVE "="; both decode percent signs. */
export function authorization(product: Product, { id, secret }: Token): string {
  const value = secret.reveal().trim();
  return product === 'pbs'
    ? `PBSAPIToken=${id}:${encodeURIComponent(value)}`
    : `PVEAPIToken=${id}=${encodeURIComponent(value)}`;
}

/** The text without the secret, in whatever form a server may have echoed it. */
export function redact(text: string, { secret }: Token): string {
  const value = secret.reveal().trim();
  if (value === '') return text;
  return [value, encodeURIComponent(value), JSON.stringify(value).slice(1, -1)].reduce(
    (rest, form) => rest.replaceAll(form, '[secret]'),
    text,
  );
}
