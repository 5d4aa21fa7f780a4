import type { Access } from '../access.js';
import { decoded } from '../parameters.js';

/** Who sends a request, or why that is not believed, in the words of the versions that say so. */
export function callerOf(
  header: string | undefined,
  access: Access,
): { readonly tokenId: string } | { readonly why: string; readonly credentials: boolean } {
  const given = /^PBSAPIToken[= ](.*)$/s.exec(header ?? '')?.[1];
  if (given === undefined) return { why: 'no authentication credentials provided.', credentials: false };
  const refused = (why: string) => ({ why, credentials: true });
  const [, tokenId = given, secret = ''] = /^([^:]*):(.*)$/s.exec(given) ?? [];
  const [user = '', name] = tokenId.split('!');
  if (!/^[^\s:/@]+@[A-Za-z0-9_][\w.-]*$/.test(user)) return refused('not a valid user id');
  if (name === undefined) return refused('not an API token ID');
  // What PVE puts between name and secret is no part of a name.
  if (!/^[A-Za-z0-9_][\w.-]*$/.test(name)) return refused('invalid token name');
  const standing = access.standingOf(tokenId, decoded(secret));
  if (standing === 'good') return { tokenId };
  return refused(
    standing === 'secret' ? 'invalid credentials' : 'user account or token disabled or expired.',
  );
}
