import type { SeenCertificate } from '../api/certificate.js';
import type { Commands } from '../api/grants.js';
import type { Product } from '../api/token.js';
import type { TlsConfig } from '../config/schema.js';
import { utcDay } from '../moment.js';
import { about, type Diagnosis } from './diagnosis.js';

const DAY_MS = 86_400_000;
/** Time to renew without haste. */
const WARN_DAYS = 30;

export interface Shown {
  readonly subject: string;
  readonly product: Product;
  /** How the machine is called where commands are to be run on it. */
  readonly where: string;
  readonly address: string;
  readonly tls: TlsConfig;
  readonly seen: SeenCertificate;
  /** Where the config is, and where in it the fingerprints of this server stand, as jq writes it. */
  readonly config: { readonly path: string; readonly place: string };
  readonly now: number;
}

/** Is the certificate one that the config accepts, and how long will it last? */
export function judgeCertificate(shown: Shown): Diagnosis {
  const { subject, product, where, address, tls, seen, now } = shown;
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
      hint: 'Compare the two fingerprints first: another one can mean that somebody else answers.',
      mends: distrustMends(shown),
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
    return warn(`${host}: ${how}, but it expired on ${until}`, { mends: renewal(product, where), detail });
  }
  const words = `${host}: ${how}, valid until ${until} (${days} days)`;
  if (days >= WARN_DAYS) return pass(words, { detail });
  return warn(words, {
    hint: tls.fingerprints ? 'A new certificate has a new fingerprint, which belongs into the config.' : null,
    mends: renewal(product, where),
    detail,
  });
}

const compare = (product: Product) =>
  product === 'pbs'
    ? 'proxmox-backup-manager cert info | grep Fingerprint'
    : 'pvenode cert info | grep fingerprint';

function distrustMends({ product, where, seen, config: { path, place } }: Shown): Commands[] {
  const change = `${place} |= ((. // []) + ["${seen.fingerprint}"])`;
  return [
    { where, commands: [compare(product)] },
    {
      where: 'here, once it is the same',
      commands: [`jq '${change}' ${path} > ${path}.new && chmod 600 ${path}.new && mv ${path}.new ${path}`],
    },
  ];
}

function renewal(product: Product, where: string): Commands[] {
  return product === 'pbs'
    ? [
        {
          where,
          commands: ['proxmox-backup-manager cert update --force', 'systemctl reload proxmox-backup-proxy'],
        },
      ]
    : [{ where, commands: ['pvecm updatecerts --force', 'systemctl restart pveproxy'] }];
}
