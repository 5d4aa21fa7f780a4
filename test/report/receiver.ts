import { createServer, type IncomingMessage, type RequestListener } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { afterEach } from 'vitest';

export interface Received {
  readonly method: string | undefined;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}
export type Answer =
  | { readonly status: number; readonly headers?: Record<string, string>; readonly body?: string }
  /** Takes the request and never answers. */
  | 'silence'
  /** Sends the head of an answer and then nothing more. */
  | 'stalled'
  /** Closes the connection. */
  | 'cut';

const open: Array<() => void> = [];
afterEach(() => {
  for (const close of open.splice(0)) close();
});

/** A receiver on loopback that answers one request after the other as told, the last answer for all further ones. */
export async function receiver(answers: readonly Answer[], tls?: { key: string; cert: string }) {
  const received: Received[] = [];
  const listener: RequestListener = async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    received.push({ method: request.method, headers: request.headers, body });
    const answer = answers[received.length - 1] ?? answers.at(-1) ?? { status: 200 };
    if (answer === 'silence') return;
    if (answer === 'cut') return void request.socket.destroy();
    if (answer === 'stalled') return void response.writeHead(200, { 'content-length': '2' }).write('o');
    response.writeHead(answer.status, answer.headers).end(answer.body ?? (answer.status < 300 ? 'ok' : ''));
  };
  const server = tls ? createTlsServer(tls, listener) : createServer(listener);
  open.push(() => {
    server.close();
    server.closeAllConnections();
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  const { port } = server.address() as AddressInfo;
  return { url: `${tls ? 'https' : 'http'}://127.0.0.1:${port}/services/T0/B0/sEcReT`, received };
}
