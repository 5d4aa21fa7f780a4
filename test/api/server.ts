import type { ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import { type AddressInfo, createServer as createTcpServer, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { ServerOptions } from '../../src/api/connect.js';
import { Secret } from '../../src/config/secret.js';
import { makeCertificate, type Subjects } from '../../src/lab/certificate.js';
import { realClock } from '../../src/world.js';

export const TOKEN_SECRET = 'd63e505a-e3ec-449a-9bc7-1da610d4ccde';

export interface Received {
  readonly method: string;
  readonly url: string;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: string;
}

/** An answer; `cut` breaks the connection off instead of answering, `silent` never answers. */
export type Reply =
  | { status?: number; reason?: string; body?: unknown }
  | { write: (response: ServerResponse) => void }
  | 'cut'
  | 'silent';

export interface TestServer {
  readonly address: string;
  readonly fingerprint: string;
  readonly certificate: string;
  readonly received: Received[];
  /** Decrypted bytes that clients have sent. */
  bytes(): number;
  /** How many TCP connections were accepted. */
  connections(): number;
  stop(): Promise<void>;
}

/** A small HTTPS server on loopback. Strings are sent as they are, everything else as JSON. */
export async function serve(
  reply: (request: Received, nth: number) => Reply,
  subjects: Subjects = { dns: ['localhost'], ip: ['127.0.0.1'] },
): Promise<TestServer> {
  const { key, cert, fingerprint } = await makeCertificate('localhost', subjects);
  const received: Received[] = [];
  const sockets = new Set<Duplex>();
  let bytes = 0;
  let connections = 0;
  const server: Server = createServer({ key, cert }, (incoming, response) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.on('end', () => {
      const { method = '', url = '', headers } = incoming;
      const request = { method, url, headers, body: Buffer.concat(chunks).toString() };
      received.push(request);
      const answer = reply(request, received.length);
      if (answer === 'silent') return;
      if (answer === 'cut') {
        incoming.socket.destroy();
        return;
      }
      if ('write' in answer) return answer.write(response);
      const { status = 200, reason = '', body = { data: null } } = answer;
      response.writeHead(status, reason || undefined, { 'content-type': 'application/json;charset=UTF-8' });
      response.end(typeof body === 'string' ? body : JSON.stringify(body));
    });
  });
  server.on('connection', (socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.on('secureConnection', (socket) => socket.on('data', (chunk: Buffer) => (bytes += chunk.length)));
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    fingerprint,
    certificate: cert,
    received,
    bytes: () => bytes,
    connections: () => connections,
    stop: () =>
      new Promise((stopped) => {
        server.close(() => stopped());
        for (const socket of sockets) socket.destroy();
      }),
  };
}

export const WORLD = { clock: realClock, env: {}, random: Math.random };

export function options(server: TestServer, changes: Partial<ServerOptions> = {}): ServerOptions {
  return {
    name: 'main',
    endpoints: [server.address],
    tokenId: 'ctl@pbs!patch',
    secret: new Secret(TOKEN_SECRET, 'test'),
    tls: { fingerprints: [server.fingerprint] },
    requestTimeoutMs: 2000,
    world: WORLD,
    patience: { retries: 2, firstPauseMs: 5 },
    ...changes,
  };
}

/** An address where nobody listens. */
export async function deadAddress(): Promise<string> {
  const server = await serve(() => 'silent');
  await server.stop();
  return server.address;
}

/** Takes connections and says nothing, like a host that dies: no TLS handshake ever comes to an end. */
export async function muteServer(): Promise<{ address: string; stop(): void }> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket.on('error', () => {}));
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  return {
    address: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    stop: () => {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  };
}
