import { mkdtempSync, writeFileSync } from 'node:fs';
import { createServer as createHttpServer } from 'node:http';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import type { TlsConfig } from '../../src/config/schema.js';
import { makeCertificate } from '../../src/lab/certificate.js';
import { options, serve, type TestServer, WORLD } from './server.js';

const OTHER = Array.from({ length: 32 }, () => 'AB').join(':');
const VERSION = { body: { data: { version: '4.2', release: '3' } } };

describe('the certificate is judged before the token is sent', () => {
  let server: TestServer;
  beforeEach(async () => {
    server = await serve(() => VERSION);
  });
  afterEach(() => server.stop());

  const version = async (tls: TlsConfig, env = {}) => {
    const pbs = connectPbs(options(server, { tls, world: { ...WORLD, env } }));
    try {
      return await pbs.version();
    } finally {
      await pbs.close();
    }
  };
  const pemFile = () => {
    const path = join(mkdtempSync(join(tmpdir(), 'ca-')), 'ca.pem');
    writeFileSync(path, server.certificate);
    return path;
  };

  it('a wrong fingerprint ends the connection without one byte, and the error names both', async () => {
    const error = await version({ fingerprints: [OTHER] }).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'net.untrusted' });
    expect(error.message).toContain(server.fingerprint);
    expect(error.message).toContain(OTHER);
    expect(server.bytes()).toBe(0);
  });

  it('a certificate of no known CA ends the connection without one byte', async () => {
    const error = await version({}).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'net.untrusted', message: expect.stringContaining('self-signed') });
    expect(error.message).toContain(server.fingerprint);
    expect(server.bytes()).toBe(0);
  });

  it('one of several fingerprints is enough, in either case', async () => {
    await expect(version({ fingerprints: [OTHER, server.fingerprint.toLowerCase()] })).resolves.toEqual({
      version: '4.2',
      release: '3',
    });
    expect(server.bytes()).toBeGreaterThan(0);
  });

  it('a CA file is trusted', async () => {
    await expect(version({ caFile: pemFile() })).resolves.toBeDefined();
  });

  it('SSL_CERT_FILE stands for the CAs of the system', async () => {
    await expect(version({}, { SSL_CERT_FILE: pemFile() })).resolves.toBeDefined();
  });

  it('a CA file that is missing or no PEM is an error of the config', async () => {
    await expect(version({ caFile: '/nonexistent.pem' })).rejects.toMatchObject({
      code: 'config.ca-file',
      exitCode: 2,
    });
    await expect(version({ caFile: new URL(import.meta.url).pathname })).rejects.toMatchObject({
      code: 'config.ca-file',
    });
    expect(server.bytes()).toBe(0);
  });

  it('a certificate for another name is refused without one byte', async () => {
    await server.stop();
    server = await serve(() => VERSION, { dns: ['elsewhere.example.net'] });
    await expect(version({ caFile: pemFile() })).rejects.toMatchObject({
      code: 'net.untrusted',
      message: expect.stringContaining('for another name'),
    });
    expect(server.bytes()).toBe(0);
  });

  describe('of a server that others are told apart from by the name in the handshake', () => {
    const handshake = async (refuse: 'unknown name' | 'nothing') => {
      const names: unknown[] = [];
      const { key, cert, fingerprint } = await makeCertificate('localhost');
      const proxy = createServer(
        {
          key,
          cert,
          SNICallback: (name, done) => {
            names.push(name);
            done(refuse === 'unknown name' ? new Error('no such server') : null);
          },
        },
        (_, response) => response.end('{"data":{"version":"4.2","release":"3"}}'),
      );
      // Without a name, such a proxy has no server to hand the connection to.
      await new Promise<void>((listening) => proxy.listen(0, listening));
      const { port } = proxy.address() as AddressInfo;
      const ask = async (host: string) => {
        const world = { ...WORLD, env: {} };
        const endpoints = [`https://${host}:${port}`];
        const pbs = connectPbs({
          ...options(server, { tls: { fingerprints: [fingerprint] }, world }),
          endpoints,
        });
        return pbs.version().finally(() => pbs.close());
      };
      return { names, ask, stop: () => new Promise((stopped) => proxy.close(stopped)) };
    };

    it('the name of the endpoint is sent, and none for an address', async () => {
      const { names, ask, stop } = await handshake('nothing');
      await expect(ask('localhost')).resolves.toMatchObject({ version: '4.2' });
      expect(names).toEqual(['localhost']);
      await expect(ask('127.0.0.1')).resolves.toMatchObject({ version: '4.2' });
      expect(names).toEqual(['localhost']);
      await stop();
    });

    it('a refused handshake is told in words, not in those of OpenSSL', async () => {
      const { ask, stop } = await handshake('unknown name');
      const error = await ask('localhost').catch((thrown) => thrown);
      expect(error).toMatchObject({ code: 'net.unreachable' });
      expect(error.message).toMatch(
        /the connection was closed in the TLS handshake|refused the TLS handshake/,
      );
      expect(error.message).not.toMatch(/OpenSSL|SSL routines|:error:/);
      expect(error.hint).toMatch(/proxy/);
      await stop();
    });

    it('plain http behind the port is told as that', async () => {
      const plain = createHttpServer((_, response) => response.end('hello'));
      await new Promise<void>((listening) => plain.listen(0, '127.0.0.1', listening));
      const endpoints = [`https://127.0.0.1:${(plain.address() as AddressInfo).port}`];
      const pbs = connectPbs({ ...options(server), endpoints });
      await expect(pbs.version()).rejects.toMatchObject({
        message: expect.stringContaining('does not speak TLS; it may be plain http'),
        hint: expect.stringContaining('8007 for PBS'),
      });
      await pbs.close();
      await new Promise((stopped) => plain.close(stopped));
    });
  });

  it('no web proxy is asked, and a certificate is judged, whatever the environment says', async () => {
    const env = {
      HTTPS_PROXY: 'http://127.0.0.1:1',
      NODE_USE_ENV_PROXY: '1',
      NODE_TLS_REJECT_UNAUTHORIZED: '0',
    };
    const before = { ...process.env };
    Object.assign(process.env, env);
    try {
      await expect(version({ fingerprints: [server.fingerprint] }, env)).resolves.toBeDefined();
      await expect(version({ fingerprints: [OTHER] }, env)).rejects.toMatchObject({ code: 'net.untrusted' });
      await expect(version({}, env)).rejects.toMatchObject({ code: 'net.untrusted' });
    } finally {
      for (const name of Object.keys(env)) delete process.env[name];
      Object.assign(process.env, before);
    }
  });

  it('a write, which has a connection of its own, is no exception; and it is not tried again', async () => {
    const pbs = connectPbs(options(server, { tls: { fingerprints: [OTHER] } }));
    await expect(pbs.reboot()).rejects.toMatchObject({ code: 'net.untrusted' });
    await expect(pbs.probe(1000)).rejects.toMatchObject({ code: 'net.untrusted' });
    await expect(pbs.time()).rejects.toMatchObject({ code: 'net.untrusted' });
    expect(server.bytes()).toBe(0);
    expect(server.connections()).toBe(3);
    await pbs.close();
  });
});
