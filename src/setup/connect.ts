import { lookAtCertificate } from '../api/certificate.js';
import type { Commands } from '../api/grants.js';
import type { Product } from '../api/token.js';
import { NotConnected } from '../api/trust.js';
import type { SecretReference, TlsConfig } from '../config/schema.js';
import { readSecret } from '../config/secret.js';
import { errorDocument } from '../fault.js';
import type { World } from '../world.js';
import { judgeCertificate } from './certificate.js';
import { about, type Diagnosis, failed } from './diagnosis.js';

const LIMIT_MS = 10_000;

export interface Place {
  readonly subject: string;
  readonly product: Product;
  readonly where: string;
  readonly tls: TlsConfig;
  /** Of the config, and where in it this server stands, as jq writes it. */
  readonly config: { readonly path: string; readonly place: string };
}

/** Name, port and certificate of one server, before any token is sent there. */
export async function examineServer(address: string, place: Place, world: World): Promise<Diagnosis> {
  const { subject, tls } = place;
  try {
    const seen = await lookAtCertificate(address, { tls, env: world.env, connectTimeoutMs: LIMIT_MS });
    return judgeCertificate({ ...place, address, seen, now: world.clock.now() });
  } catch (error) {
    if (!(error instanceof NotConnected)) return failed(subject, 'tls', error);
    return about(subject, 'tls').block(`Cannot reach ${address}: ${error.message}`, {
      mends: [{ where: 'here', commands: [way(address, error.message)] }],
      detail: { address, error: 'net.unreachable' },
    });
  }
}

function way(address: string, why: string): string {
  const { hostname } = new URL(address);
  return /name/.test(why) ? `getent hosts ${hostname}` : `curl -kv --max-time 10 ${address}/`;
}

/** Whether a secret can be had; null where it can, since there is nothing to tell then. */
export async function examineSecret(
  subject: string,
  reference: SecretReference,
  world: World,
): Promise<Diagnosis | null> {
  try {
    await readSecret(reference, world);
    return null;
  } catch (error) {
    const mends = secretMends(reference, errorDocument(error).hint ?? '');
    return { ...failed(subject, 'secret', error, mends), ...(mends.length > 0 ? { hint: null } : {}) };
  }
}

function secretMends(reference: SecretReference, hint: string): Commands[] {
  const here = (command: string) => [{ where: 'here', commands: [command] }];
  if ('env' in reference) return here(`read -rs ${reference.env} && export ${reference.env}`);
  if ('credential' in reference) return [];
  if (hint.startsWith('chmod')) return here(hint);
  const { file } = reference;
  return here(`install -m 600 /dev/null ${file} && cat > ${file}   # paste the secret, then Ctrl-D`);
}
