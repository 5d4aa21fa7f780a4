import { z } from 'zod';
import { parseDuration, parseSize } from './quantity.js';

export const duration = z
  .union([z.string(), z.number().nonnegative()])
  .meta({ title: 'duration', description: '90s, 20m, 2h, 1d, 500ms, or a number of seconds' })
  .transform((value, context) => {
    const ms = parseDuration(value);
    if (ms !== undefined) return ms;
    context.addIssue({ code: 'custom', message: 'expected a duration such as "90s", "20m", "2h" or "1d"' });
    return z.NEVER;
  });

/** For what zero would make impossible, such as a lock that expires as it is taken. */
export const positiveDuration = duration.refine(
  (ms) => ms > 0,
  'expected a duration longer than zero, such as "90s" or "20m"',
);

export const size = z
  .union([z.string(), z.number().nonnegative()])
  .meta({ title: 'size', description: '2GiB, 512MiB, or a number of bytes' })
  .transform((value, context) => {
    const bytes = parseSize(value);
    if (bytes !== undefined) return bytes;
    context.addIssue({ code: 'custom', message: 'expected a size such as "2GiB" or "512MiB"' });
    return z.NEVER;
  });

/** Where a secret is found. */
export const secret = z
  .union(
    [
      z.strictObject({ env: z.string().min(1).describe('Name of an environment variable') }),
      z.strictObject({ file: z.string().min(1).describe('Path of a file that only its owner can read') }),
      z.strictObject({
        credential: z
          .string()
          .regex(/^[A-Za-z0-9._-]+$/)
          .describe('File name in $CREDENTIALS_DIRECTORY (systemd)'),
      }),
    ],
    {
      error: ({ input }) =>
        typeof input === 'string'
          ? 'a secret must not be in the config itself: write {"env": "NAME"}, {"file": "/path"} or {"credential": "name"} instead'
          : 'expected {"env": "NAME"}, {"file": "/path"} or {"credential": "name"}',
    },
  )
  .meta({ title: 'secret', description: 'Where the secret is kept: it never is in the config itself' });
export type SecretReference = z.output<typeof secret> & Placed;

/** For messages: `hosts.pbs01.secret in /etc/pbs-ctl/config.json`; absent without a file. */
interface Placed {
  readonly place?: string;
}

export const fingerprint = z
  .string()
  .regex(
    /^(?:[0-9A-Fa-f]{2}:){31}[0-9A-Fa-f]{2}$/,
    'expected a SHA-256 fingerprint: 32 hex pairs joined by ":"',
  )
  .meta({ title: 'fingerprint' })
  .transform((value) => value.toUpperCase());

export const tls = z
  .strictObject({
    fingerprints: z
      .array(fingerprint)
      .min(1)
      .optional()
      .describe('SHA-256 fingerprints of the certificates to accept'),
    caFile: z.string().min(1).optional().describe('PEM file with the CAs to trust instead'),
  })
  .refine(
    (value) => !(value.fingerprints && value.caFile),
    'give either "fingerprints" or "caFile", not both',
  )
  .prefault({})
  .describe('How the certificate is checked; left out: by the CAs of the system');
export type TlsConfig = z.output<typeof tls> & Placed;

export const endpoint = z
  .string()
  .refine(
    isServerAddress,
    'expected an address such as "https://pve1.example.net:8006" (https, no path, no user or password)',
  )
  .meta({ title: 'address' })
  .transform((value) => value.replace(/\/$/, ''));

/** One server, and nothing that could be a secret. */
function isServerAddress(address: string): boolean {
  if (!/^https:\/\/[^\s\p{Cc}\p{Cf}]+$/u.test(address) || !URL.canParse(address)) return false;
  const { username, password, pathname, port } = new URL(address);
  return !/[@?#\\]/.test(address) && username + password === '' && pathname === '/' && port !== '0';
}

export const token = z
  .string()
  .regex(
    /^[^\s:/!@]+@[A-Za-z][A-Za-z0-9._-]*![A-Za-z0-9_][A-Za-z0-9._-]*$/,
    'expected a token id of the form "user@realm!token"',
  )
  .meta({ title: 'token id' });

export const tag = z
  .string()
  .regex(/^[a-z0-9_][a-z0-9_.-]*$/, 'expected a tag of lower-case letters, digits, "_", "." and "-"')
  .meta({ title: 'tag' });
export const vmid = z.int().min(100).max(999_999_999).meta({ title: 'VMID' });
export const name = z
  .string()
  .regex(/^[a-z0-9][a-z0-9._-]*$/, 'expected a name of lower-case letters, digits, ".", "_" and "-"');
