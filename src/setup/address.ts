import type { SecretReference } from '../config/schema.js';
import { EXIT, Fault } from '../fault.js';

const NAMED = /^(?:https:\/\/)?([^/?#\s]+)\/?$/;

/** "pve1", "pve1.example.net:8006" or a whole address as `https://host:port`. Null for anything else. */
export function addressOf(text: string, port: number): string | null {
  const place = NAMED.exec(text.trim())?.[1];
  if (place === undefined) return null;
  const bare = (place.match(/:/g)?.length ?? 0) > 1 && !place.startsWith('[') ? `[${place}]` : place;
  const address = `https://${/:\d+$/.test(bare) && !bare.endsWith(']') ? bare : `${bare}:${port}`}`;
  return URL.canParse(address) ? address : null;
}

/** `env:NAME`, `file:/path` or `credential:name`; null for anything else. */
export function secretOf(text: string): SecretReference | null {
  const [, kind, value = ''] = /^(env|file|credential):(.+)$/.exec(text.trim()) ?? [];
  if (kind === 'env') return { env: value };
  if (kind === 'file' && value.startsWith('/')) return { file: value };
  if (kind === 'credential' && /^[A-Za-z0-9._-]+$/.test(value)) return { credential: value };
  return null;
}

export const SECRET_FORM = 'Write env:NAME, file:/absolute/path or credential:name.';

/** @throws Fault `usage.address` (exit 2) */
export function givenAddress(text: string, port: number, option: string): string {
  const address = addressOf(text, port);
  if (address !== null) return address;
  throw new Fault('usage.address', `${option} "${text}" is no address.`, {
    hint: `For example https://host.example.net:${port}.`,
    exitCode: EXIT.usage,
  });
}

/** @throws Fault `usage.secret` (exit 2) */
export function givenSecret(text: string, option: string): SecretReference {
  const reference = secretOf(text);
  if (reference) return reference;
  throw new Fault('usage.secret', `${option} is no reference to a secret.`, {
    hint: SECRET_FORM,
    exitCode: EXIT.usage,
  });
}
