import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { describe, expect, it } from 'vitest';
import { connectPbs } from '../../src/api/connect.js';
import { Secret } from '../../src/config/secret.js';
import { LabServer } from '../../src/lab/https.js';
import { realWorld } from '../../src/world.js';

/** A process that takes the port, on loopback and on every address, if it can; says how each attempt ended. */
const TAKER = `
  const net = require('node:net');
  const attempt = (host) => new Promise((ended) => {
    const server = net.createServer().once('error', ({ code }) => ended(code));
    server.listen(Number(process.argv[1]), host, () => ended('taken'));
  });
  (async () => {
    for (let tried = 0; tried < 20; tried += 1) {
      console.log(await attempt(tried % 2 ? '0.0.0.0' : '127.0.0.1'));
      await new Promise((next) => setTimeout(next, 5));
    }
    process.exit();
  })();
`;

async function takenBy(port: number): Promise<Set<string>> {
  const child = spawn(process.execPath, ['-e', TAKER, String(port)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let said = '';
  child.stdout.setEncoding('utf8').on('data', (text) => {
    said += text;
  });
  await once(child, 'close');
  return new Set(said.trim().split('\n'));
}

const pong = async () => ({ status: 200, body: '{"data":{"version":"4.2","release":"3"}}' });
const clientOf = (server: LabServer) =>
  connectPbs({
    name: 'pbs01',
    endpoints: [server.url],
    tokenId: 'ctl@pbs!patch',
    secret: new Secret('s', 'test'),
    tls: { fingerprints: [server.fingerprint] },
    requestTimeoutMs: 2000,
    world: realWorld(),
    patience: { retries: 0, firstPauseMs: 1 },
  });

describe('a server of the lab that is down', () => {
  it('keeps its port from whoever would take it meanwhile', async () => {
    const server = new LabServer('pbs01', pong);
    await server.listen();
    const { url, port } = server;
    server.goDark('refuse');
    expect([...(await takenBy(port))]).toEqual(['EADDRINUSE']);
    await server.comeBack();
    expect(server.url).toBe(url);
    const pbs = clientOf(server);
    await expect(pbs.version()).resolves.toEqual({ version: '4.2', release: '3' });
    await pbs.close();
    await server.close();
    expect([...(await takenBy(port))]).toEqual(['taken', 'EADDRINUSE']);
  });

  it('is unreachable to a client: no connection comes about, and no request arrives', async () => {
    const requests: string[] = [];
    const server = new LabServer('pbs01', ({ url }) => {
      requests.push(url);
      return pong();
    });
    await server.listen();
    const pbs = clientOf(server);
    await pbs.version();
    server.goDark('refuse');
    const taken = server.connections;
    await expect(pbs.version()).rejects.toMatchObject({ code: 'net.unreachable' });
    // A write that was never sent is not one whose outcome is unknown.
    await expect(pbs.reboot()).rejects.toMatchObject({ code: 'net.unreachable' });
    expect([requests.length, server.connections]).toEqual([1, taken]);
    await server.comeBack();
    await expect(pbs.version()).resolves.toBeDefined();
    await pbs.close();
    await server.close();
  });

  it('stays down when it goes again before it has come back', async () => {
    const server = new LabServer('pbs01', pong);
    await server.listen();
    server.forgetCertificate();
    server.goDark('refuse');
    const coming = server.comeBack();
    server.goDark('refuse');
    await coming;
    const pbs = clientOf(server);
    await expect(pbs.version()).rejects.toMatchObject({ code: 'net.unreachable' });
    await pbs.close();
    await server.close();
  });
});
