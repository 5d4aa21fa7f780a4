import { createPrivateKey, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { makeCertificate } from '../../src/lab/certificate.js';

describe('a certificate of the lab', () => {
  it('is signed by itself, with its own key, for a year', async () => {
    const { key, cert, fingerprint } = await makeCertificate('pbs01');
    const read = new X509Certificate(cert);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.checkIssued(read)).toBe(true);
    expect(read.checkPrivateKey(createPrivateKey(key))).toBe(true);
    expect(read.ca).toBe(true);
    expect(read.subject).toBe('CN=pbs01');
    expect(fingerprint).toMatch(/^([0-9A-F]{2}:){31}[0-9A-F]{2}$/);
    const [from, to] = [Date.parse(read.validFrom), Date.parse(read.validTo)];
    expect(from).toBeLessThan(Date.now());
    expect(Math.round((to - Date.now()) / 86_400_000)).toBe(365);
  });

  it('names its host and loopback, and nothing else', async () => {
    const read = new X509Certificate((await makeCertificate('pbs01')).cert);
    expect(read.subjectAltName).toBe('DNS:localhost, DNS:pbs01, IP Address:127.0.0.1');
    expect(read.checkHost('pbs01')).toBe('pbs01');
    expect(read.checkIP('127.0.0.1')).toBe('127.0.0.1');
    expect(read.checkHost('pbs02')).toBeUndefined();
  });

  it('is another one each time', async () => {
    const [one, other] = await Promise.all([makeCertificate('pbs01'), makeCertificate('pbs01')]);
    const [first, second] = [new X509Certificate(one.cert), new X509Certificate(other.cert)];
    expect(first.serialNumber).not.toBe(second.serialNumber);
    expect(one.fingerprint).not.toBe(other.fingerprint);
  });

  it('may have a name that takes a long form of length', async () => {
    const name = 'n'.repeat(60);
    const dns = Array.from({ length: 8 }, (_, index) => `${name}${index}.example.net`);
    const read = new X509Certificate((await makeCertificate(name, { dns })).cert);
    expect(read.verify(read.publicKey)).toBe(true);
    expect(read.subjectAltName?.split(', ')).toEqual(dns.map((each) => `DNS:${each}`));
  });

  it('is accepted in a handshake by a client that trusts it, for its names only', async () => {
    const { key, cert } = await makeCertificate('pbs01');
    const server = createServer({ key, cert }).listen(0, '127.0.0.1');
    server.on('tlsClientError', () => {});
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const shake = (options: object) =>
      new Promise((verdict) => {
        const socket = connect({ host: '127.0.0.1', port, ...options }, () => {
          verdict(socket.authorized);
          socket.destroy();
        }).on('error', ({ code }: NodeJS.ErrnoException) => verdict(code));
      });
    expect(await shake({ ca: cert })).toBe(true);
    expect(await shake({ ca: cert, servername: 'pbs02' })).toBe('ERR_TLS_CERT_ALTNAME_INVALID');
    expect(await shake({})).toBe('DEPTH_ZERO_SELF_SIGNED_CERT');
    server.close();
  });
});
