import { connect } from 'node:tls';
import { Fault } from '../fault.js';

/** What a server shows of itself before anybody trusts it. */
export interface SeenCertificate {
  /** SHA-256, upper-case hex pairs joined by ":". */
  readonly fingerprint: string;
  /** Milliseconds since 1970. */
  readonly validUntil: number;
  readonly subject: string;
}

/**
 * Looks at the certificate of a server and closes the connection: nothing is sent, no token and no
 * request, which is why trusting it is not needed here.
 * @throws Fault `net.unreachable`
 */
export function lookAtCertificate(endpoint: string, timeoutMs: number): Promise<SeenCertificate> {
  const { hostname, port } = new URL(endpoint);
  const host = hostname.replace(/^\[|\]$/g, '');
  return new Promise((resolve, reject) => {
    const fail = (why: string) => {
      socket.destroy();
      reject(
        new Fault('net.unreachable', `Cannot reach ${endpoint}: ${why}.`, {
          hint: 'Check name, port and firewall.',
          exitCode: 75,
        }),
      );
    };
    const socket = connect(
      {
        host,
        port: Number(port || 443),
        servername: /^[\d.:]+$/.test(host) ? '' : host,
        rejectUnauthorized: false,
      },
      () => {
        const { fingerprint256, valid_to: validTo, subject } = socket.getPeerCertificate();
        socket.destroy();
        resolve({
          fingerprint: fingerprint256 ?? '',
          validUntil: Date.parse(validTo),
          subject: String(subject?.CN ?? ''),
        });
      },
    );
    socket.setTimeout(timeoutMs, () => fail(`no answer within ${timeoutMs / 1000} s`));
    socket.on('error', (error) => fail(error.message));
  });
}
