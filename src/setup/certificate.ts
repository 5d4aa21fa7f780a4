import { lookAtCertificate, type SeenCertificate } from '../api/certificate.js';
import type { Product } from '../api/token.js';
import { NotConnected } from '../api/trust.js';
import type { TlsConfig } from '../config/schema.js';
import type { Fix } from '../fault.js';
import { utcDay } from '../moment.js';
import type { World } from '../world.js';
import { about, failed, type SetupFinding } from './finding.js';

/** A server of the config, before any request to it. */
interface KnownServer {
  readonly subject: string;
  readonly product: Product;
  /** The name of the machine, where commands are to be run on it. */
  readonly where: string;
  readonly address: string;
  readonly tls: TlsConfig;
  /** Where the config is, and where in it the fingerprints of this server are, as jq writes it. */
  readonly config: { readonly path: string; readonly place: string };
}

const LIMIT_MS = 10_000;

/** Name, port and certificate of one server, before any token is sent there. */
export async function examineServer(server: KnownServer, { env, clock }: World): Promise<SetupFinding> {
  const { subject, address, tls } = server;
  try {
    const seen = await lookAtCertificate(address, { tls, env, connectTimeoutMs: LIMIT_MS });
    return judgeCertificate(server, seen, clock.now());
  } catch (error) {
    if (!(error instanceof NotConnected)) return failed(subject, 'tls', error);
    return about(subject, 'tls').block(`Cannot reach ${address}: ${error.message}`, {
      hint: error.hint,
      fixes: [{ where: 'controller', commands: [wayTo(address, error)] }],
      detail: { address, error: 'net.unreachable' },
    });
  }
}

/** curl would take a web proxy, which the APIs are never asked by. */
function wayTo(address: string, { message, hint }: NotConnected): string {
  const { hostname } = new URL(address);
  if (hint === null && /name/.test(message)) return `getent hosts ${hostname}`;
  return `curl -kv --noproxy '*' --max-time 10 ${address}/`;
}

const DAY_MS = 86_400_000;
/** Leaves time to renew. */
const WARN_DAYS = 30;

/** Does the config accept the certificate, and how long is it valid? */
function judgeCertificate(server: KnownServer, seen: SeenCertificate, now: number): SetupFinding {
  const { subject, product, where, address, tls } = server;
  const { pass, warn, block } = about(subject, 'tls');
  const days = Math.floor((seen.validTo.getTime() - now) / DAY_MS);
  const detail = {
    address,
    fingerprint: seen.fingerprint,
    issuer: seen.issuer,
    validTo: seen.validTo.toISOString(),
    daysLeft: days,
  };
  const host = new URL(address).host;
  if (seen.distrust) {
    return block(seen.distrust.message, {
      hint: `First compare the fingerprint with that on the machine${product === 'pve' ? ` (${PVE_CERTIFICATE})` : ''}: a different one can mean that another machine answers.`,
      fixes: distrusted(server, seen.fingerprint),
      detail: { ...detail, error: seen.distrust.code },
    });
  }
  const how = tls.fingerprints
    ? 'pinned'
    : tls.caFile
      ? 'issued by the CA of the config'
      : 'issued by a CA of the system';
  const until = utcDay(seen.validTo);
  if (days < 0) {
    return warn(`${host}: ${how}, but it expired on ${until}`, { fixes: renewal(product, where), detail });
  }
  const words = `${host}: ${how}, valid until ${until} (${days} days)`;
  if (days >= WARN_DAYS) return pass(words, { detail });
  return warn(words, {
    hint: tls.fingerprints ? 'A new certificate has a new fingerprint: put it into the config.' : null,
    fixes: renewal(product, where),
    detail,
  });
}

/** Prints the fingerprint to compare with; PVE lists that of its CA and of two files, each with its name. */
export const compareCommand = (product: Product) =>
  product === 'pbs'
    ? 'proxmox-backup-manager cert info | grep Fingerprint'
    : "pvenode cert info | grep -E 'filename|fingerprint'";

/** Which of them counts. */
export const PVE_CERTIFICATE = 'that of pveproxy-ssl.pem where there is one, else that of pve-ssl.pem';

function distrusted({ product, where, config: { path, place } }: KnownServer, fingerprint: string): Fix[] {
  const change = `${place} |= ((. // []) + ["${fingerprint}"])`;
  return [
    { where, commands: [compareCommand(product)] },
    {
      where: 'controller, if it is the same',
      commands: [`jq '${change}' ${path} > ${path}.new && chmod 600 ${path}.new && mv ${path}.new ${path}`],
    },
  ];
}

function renewal(product: Product, where: string): Fix[] {
  return product === 'pbs'
    ? [
        {
          where,
          commands: ['proxmox-backup-manager cert update --force', 'systemctl reload proxmox-backup-proxy'],
        },
      ]
    : [{ where, commands: ['pvecm updatecerts --force', 'systemctl restart pveproxy'] }];
}
