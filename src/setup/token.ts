import type { TokenFacts } from '../api/account.js';
import type { Commands } from '../api/grants.js';
import type { Product } from '../api/token.js';
import { errorDocument } from '../fault.js';
import { utcDay } from '../moment.js';
import { about, type Diagnosis, failed } from './diagnosis.js';

const DAY_MS = 86_400_000;
const WARN_DAYS = 30;

export interface TokenLook {
  readonly subject: string;
  readonly product: Product;
  readonly token: string;
  readonly where: string;
  readonly version: string;
  /** Null: the server does not tell this token. */
  readonly answers: TokenFacts | null;
  readonly now: number;
}

/** A token that is accepted: until when? */
export function judgeToken(look: TokenLook): Diagnosis {
  const { subject, product, token, where, version, answers, now } = look;
  const { pass, warn } = about(subject, 'token');
  const name = product === 'pbs' ? 'PBS' : 'PVE';
  const accepted = `${token} is accepted (${name} ${version})`;
  if (!answers) return pass(`${accepted}; when it ends is not told`, { detail: { version } });
  const expiresAt = answers.expiresAt === null ? null : new Date(answers.expiresAt * 1000);
  const detail = { version, expiresAt: expiresAt?.toISOString() ?? null };
  if (!expiresAt) return pass(`${accepted} and does not end`, { detail });
  const days = Math.floor((expiresAt.getTime() - now) / DAY_MS);
  const words = `${accepted} until ${utcDay(expiresAt)} (${days} days)`;
  if (days >= WARN_DAYS) return pass(words, { detail });
  return warn(words, { mends: [{ where, commands: prolong(product, token) }], detail });
}

/** A token that is not accepted, or a server that cannot be asked. */
export function refusedToken(
  { subject, product, token, where }: Omit<TokenLook, 'answers' | 'now' | 'version'>,
  error: unknown,
): Diagnosis {
  if (errorDocument(error).code !== 'api.unauthorized') return failed(subject, 'token', error);
  const [user = '', name = ''] = token.split('!');
  const mends: Commands[] =
    product === 'pbs'
      ? [
          {
            where,
            commands: [
              `proxmox-backup-manager user list-tokens ${user}`,
              `proxmox-backup-manager user delete-token ${user} ${name}; proxmox-backup-manager user generate-token ${user} ${name}`,
            ],
          },
        ]
      : [
          {
            where,
            commands: [`pveum user token list ${user}`, `pveum user token add ${user} ${name} -privsep 1`],
          },
        ];
  return {
    ...failed(subject, 'token', error, mends),
    hint: 'The secret is wrong, or user or token are missing, disabled or expired: the server does not say which. A new secret is printed once. In PVE a token that is deleted loses its privileges, too.',
  };
}

function prolong(product: Product, token: string): string[] {
  const [user = '', name = ''] = token.split('!');
  return product === 'pbs'
    ? [`proxmox-backup-debug api set /access/users/${user}/token/${name} --expire 0`]
    : [`pveum user token modify ${user} ${name} -expire 0`];
}
