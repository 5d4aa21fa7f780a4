import type { SeenCertificate } from '../api/certificate.js';
import type { Finding } from '../report/document.js';

const DAY_MS = 86_400_000;
/** Warned about while there is still time to renew. Days. */
const SOON = 21;

type Status = Finding['status'];

export function finding(
  id: string,
  status: Status,
  summary: string,
  detail: Readonly<Record<string, unknown>> = {},
): Finding {
  return { id: `doctor.${id}`, status, summary, detail, retryAfter: null };
}

/** Is it the certificate that the config names, and how long does it last? Pure. */
export function judgeCertificate(
  id: string,
  endpoint: string,
  seen: SeenCertificate,
  pinned: readonly string[] | undefined,
  now: number,
): Finding {
  const days = Math.floor((seen.validUntil - now) / DAY_MS);
  const known = pinned?.map((each) => each.toUpperCase()).includes(seen.fingerprint.toUpperCase());
  const detail = { endpoint, fingerprint: seen.fingerprint, daysLeft: days };
  if (known === false) {
    return finding(
      id,
      'block',
      `${endpoint} shows the fingerprint ${seen.fingerprint}, which the config does not name`,
      {
        ...detail,
        hint: 'Compare it with that of the server itself (pvenode cert info, proxmox-backup-manager cert info) and put it under tls.fingerprints only if it is the same.',
      },
    );
  }
  if (days < 0)
    return finding(
      id,
      pinned ? 'warn' : 'block',
      `the certificate of ${endpoint} expired ${-days} days ago`,
      detail,
    );
  if (days < SOON) {
    const hint = pinned
      ? 'A renewed one has another fingerprint: add it to tls.fingerprints beside the old one in time.'
      : '';
    return finding(
      id,
      'warn',
      `the certificate of ${endpoint} lasts ${days} more days. ${hint}`.trim(),
      detail,
    );
  }
  return finding(
    id,
    'pass',
    `the certificate of ${endpoint} ${known ? 'is the pinned one and ' : ''}lasts ${days} more days`,
    detail,
  );
}

/** Privileges that no run needs, on a path where a role for people was probably reused. */
const TOO_MUCH = {
  pve: [
    'Permissions.Modify',
    'VM.Allocate',
    'Sys.PowerMgmt',
    'Sys.Console',
    'User.Modify',
    'Datastore.Allocate',
  ],
  pbs: ['Permissions.Modify', 'Datastore.Allocate', 'Sys.Console', 'Remote.Modify'],
} as const;

/** A token that can do more than a run needs is a risk without a use. Pure. */
export function judgePower(
  product: 'pve' | 'pbs',
  token: string,
  path: string,
  held: ReadonlySet<string>,
): Finding {
  const surplus = TOO_MUCH[product].filter((each) => held.has(each));
  if (surplus.length === 0)
    return finding(`${product}.power`, 'pass', `${token} has no more than a run needs on ${path}`);
  return finding(
    `${product}.power`,
    'warn',
    `${token} has more than a run needs on ${path}: ${surplus.join(', ')}`,
    {
      hint: 'Give it the roles of the README instead.',
    },
  );
}
