import { createServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { makeCertificate } from '../../src/lab/certificate.js';

// A process that is one PBS host which can be taken down and brought up by messages of its parent. To drop
// packets the parent stops the whole process (SIGSTOP) and fills its queue of connections: from then on the
// kernel leaves every attempt to connect unanswered, as that of a host that is off.

export type Order =
  | { readonly kind: 'down'; readonly listening: boolean; readonly swallow: boolean }
  | { readonly kind: 'up' };
export type Word =
  | { readonly kind: 'ready'; readonly port: number; readonly fingerprint: string }
  | { readonly kind: 'done' }
  | { readonly kind: 'most'; readonly inFlight: number };

// Of its own, so that no other process takes its port while it is away.
const address = process.argv[2] ?? '127.0.0.1';
const { key, cert, fingerprint } = await makeCertificate('rebooting');
const say = (word: Word) => process.send?.(word);
const sockets = new Set<Socket>();
const inFlight = new Map<string, number>();
let most = 0;
let bootedAt = Date.now() / 1000 - 1_000_000;
let swallow = false;

const server = createServer({ key, cert }, (request, response) => {
  const path = new URL(request.url ?? '/', 'https://here').pathname.replace('/api2/json', '');
  const now = (inFlight.get(path) ?? 0) + 1;
  inFlight.set(path, now);
  most = Math.max(most, now);
  response.on('close', () => inFlight.set(path, (inFlight.get(path) ?? 1) - 1));
  if (swallow) {
    swallow = false;
    return;
  }
  const time = Date.now() / 1000;
  const data = path.endsWith('/status')
    ? {
        uptime: Math.floor(time - bootedAt),
        root: { total: 1, used: 0, avail: 1 },
        'current-kernel': { sysname: 'Linux', release: '6.17.2-1-pve', version: '#1', machine: 'x86_64' },
        info: { fingerprint },
        'boot-info': { mode: 'efi', secureboot: false },
      }
    : path.endsWith('/time')
      ? { timezone: 'UTC', time: Math.floor(time), localtime: Math.floor(time) }
      : [];
  response.setHeader('content-type', 'application/json').end(JSON.stringify({ data }));
});
server.on('connection', (socket: Socket) => {
  sockets.add(socket);
  socket.on('error', () => {}).on('close', () => sockets.delete(socket));
});
server.on('tlsClientError', () => {});
server.listen({ port: 0, host: address, backlog: 1 }, () => {
  say({ kind: 'ready', port: (server.address() as AddressInfo).port, fingerprint });
});

process.on('message', (order: Order) => {
  const { port } = (server.address() as AddressInfo | null) ?? { port: Number(process.env.PORT) };
  if (order.kind === 'down') {
    process.env.PORT = `${port}`;
    for (const socket of sockets) socket.destroy();
    bootedAt = Date.now() / 1000;
    swallow = order.swallow;
    if (!order.listening) server.close();
    say({ kind: 'done' });
  } else {
    // A host that has booted has an empty queue of its usual length.
    const listen = () =>
      server.listen({ port, host: address }, () => {
        say({ kind: 'done' });
        say({ kind: 'most', inFlight: most });
      });
    for (const socket of sockets) socket.destroy();
    if (server.listening) server.close(listen);
    else listen();
  }
});
process.on('disconnect', () => process.exit(0));
