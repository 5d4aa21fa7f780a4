import { generateKeyPairSync, randomBytes, sign, X509Certificate } from 'node:crypto';

export interface Certificate {
  readonly key: string;
  readonly cert: string;
  /** SHA-256, upper-case hex pairs joined by ":". */
  readonly fingerprint: string;
}

/** Whom a certificate is for: names, and IPv4 addresses. */
export interface Subjects {
  readonly dns?: readonly string[];
  readonly ip?: readonly string[];
}

const DAY_MS = 86_400_000;

/**
 * A fresh self-signed certificate, by default of a server on loopback: a CA and a server at once, valid for a year.
 * @see RFC 5280, 4.1 (its fields), and X.690 (how they are written)
 */
export async function makeCertificate(
  name: string,
  { dns = [], ip = [] }: Subjects = { dns: ['localhost', name], ip: ['127.0.0.1'] },
): Promise<Certificate> {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const algorithm = sequence(oid('2a8648ce3d040302')); // ecdsa-with-SHA256
  const commonName = sequence(der(0x31, sequence(oid('550403'), der(0x0c, Buffer.from(name)))));
  const others = [
    ...dns.map((each) => der(0x82, Buffer.from(each))),
    ...ip.map((each) => der(0x87, Buffer.from(each.split('.').map(Number)))),
  ];
  const basicConstraints = sequence(oid('551d13'), TRUE, der(0x04, sequence(TRUE)));
  const subjectAltName = sequence(oid('551d11'), der(0x04, sequence(...others)));
  const body = sequence(
    der(0xa0, der(0x02, Buffer.of(2))), // version 3
    der(0x02, Buffer.concat([Buffer.of(1), randomBytes(15)])), // serial number, positive
    algorithm,
    commonName, // of the issuer
    sequence(time(Date.now() - DAY_MS), time(Date.now() + 365 * DAY_MS)),
    commonName,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(basicConstraints, subjectAltName)),
  );
  const signature = Buffer.concat([Buffer.of(0), sign('sha256', body, privateKey)]);
  const certificate = new X509Certificate(sequence(body, algorithm, der(0x03, signature)));
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    cert: certificate.toString(),
    fingerprint: certificate.fingerprint256,
  };
}

const TRUE = Buffer.of(0x01, 1, 0xff);
const sequence = (...parts: readonly Uint8Array[]) => der(0x30, ...parts);
const oid = (hex: string) => der(0x06, Buffer.from(hex, 'hex'));
/** UTCTime, which ends in 2049: `YYMMDDhhmmssZ`. */
const time = (ms: number) =>
  der(0x17, Buffer.from(`${new Date(ms).toISOString().slice(2, 19).replace(/\D/g, '')}Z`));

/** A tag, the length, and what is in it. */
function der(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  const { length } = content;
  const head =
    length < 0x80 ? [length] : length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff];
  return Buffer.concat([Buffer.of(tag, ...head), content]);
}
