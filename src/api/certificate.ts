import * as tls from 'node:tls';
import { Fault } from '../fault.js';
import { distrust, NotConnected, readAuthorities, reason, type TrustOptions } from './trust.js';

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
  const { hostname, port } = new URL(address);
  const host = hostname.replace(/^\[|\]$/g, '');
  const { fingerprints } = options.tls;
  const authorities = fingerprints ? null : readAuthorities(options);
  return new Promise((resolve, reject) => {
    const socket = tls.connect({
      host,
      port: Number(port || 443),
      ...(authorities ? { ca: authorities } : {}),
      rejectUnauthorized: false,
      ALPNProtocols: ['http/1.1'],
    });
    const limit = setTimeout(() => {
      const seconds = Math.ceil(options.connectTimeoutMs / 1000);
      socket.destroy(new Error(`no connection within ${seconds} s`));
    }, options.connectTimeoutMs);
    socket
      .once('secureConnect', () => {
        const certificate = socket.getPeerX509Certificate();
        const distrusted = distrust(socket, `${hostname}:${port || 443}`, fingerprints, certificate);
        clearTimeout(limit);
        socket.end();
        if (!certificate) return reject(new NotConnected('it shows no certificate'));
        resolve({
          fingerprint: certificate.fingerprint256.toUpperCase(),
          subject: nameIn(certificate.subject),
          issuer: nameIn(certificate.issuer),
          validTo: new Date(certificate.validTo),
          distrust: distrusted,
        });
      })
      .once('error', (error) => {
        clearTimeout(limit);
        reject(error instanceof Fault ? error : new NotConnected(reason(error), { cause: error }));
      })
      .once('close', () => {
        clearTimeout(limit);
        reject(new NotConnected('the connection was closed before it was encrypted'));
      });
  });
}

/** The common name where there is one; a distinguished name has a line for each part. */
const nameIn = (distinguished: string | undefined): string => {
  const parts = (distinguished ?? '').split('\n');
  return parts.find((part) => part.startsWith('CN='))?.slice(3) ?? parts.join(', ');
};
