import { X509Certificate } from 'node:crypto';
import type { Fault } from '../fault.js';
import { distrust, encrypted, NotConnected, type TrustOptions } from './trust.js';

/** The certificate that a server shows, and what the config makes of it. */
export interface SeenCertificate {
  /** SHA-256, upper-case hex pairs joined by ":". */
  readonly fingerprint: string;
  readonly subject: string;
  readonly issuer: string;
  readonly validTo: Date;
  /** Why it would not be accepted; null where it is. */
  readonly distrust: Fault | null;
}

/**
 * Connects, looks at the certificate and hangs up: no request is sent, so no token leaves this machine.
 * @param address `https://host:port`
 * @throws NotConnected, or Fault `config.ca-file`
 */
export async function lookAtCertificate(address: string, options: TrustOptions): Promise<SeenCertificate> {
  const server = new URL(address);
  const socket = await encrypted(server, options);
  const certificate = socket.getPeerX509Certificate();
  const { hostname, port } = server;
  const distrusted = distrust(socket, `${hostname}:${port || 443}`, options.tls.fingerprints, certificate);
  socket.end();
  if (!certificate) throw new NotConnected('it shows no certificate');
  return {
    fingerprint: certificate.fingerprint256.toUpperCase(),
    subject: nameIn(certificate.subject),
    issuer: nameIn(certificate.issuer),
    validTo: new Date(certificate.validTo),
    distrust: distrusted,
  };
}

/** The common name where there is one; a distinguished name has a line for each part. */
const nameIn = (distinguished: string | undefined): string => {
  const parts = (distinguished ?? '').split('\n');
  return parts.find((part) => part.startsWith('CN='))?.slice(3) ?? parts.join(', ');
};

const PEM = /-----BEGIN CERTIFICATE-----[\s\S]+?-----END CERTIFICATE-----/;

/** Fingerprint of the first certificate in a PEM text, as in {@link SeenCertificate}; null where there is none. */
export function fingerprintIn(text: string): string | null {
  try {
    return new X509Certificate(PEM.exec(text)?.[0] ?? '').fingerprint256.toUpperCase();
  } catch {
    return null;
  }
}

/** The one spelling of a fingerprint, to compare. */
export const bareFingerprint = (fingerprint: string): string => fingerprint.replaceAll(':', '').toLowerCase();
