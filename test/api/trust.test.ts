import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import type { TlsConfig } from '../../src/config/schema.js';
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
