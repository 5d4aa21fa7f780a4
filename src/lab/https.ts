import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Duplex } from 'node:stream';
import { type Certificate, makeCertificate } from './certificate.js';

export interface RawRequest {
  readonly method: string;
  readonly url: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Reply {
  readonly status: number;
  /** Reason phrase; PVE puts its messages there. */
  readonly reason?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
  /** Drops the connection instead of answering. */
  readonly cut?: boolean;
}

/** One HTTPS server on loopback with a certificate of its own and a port that the system chose. */
export class LabServer {
  readonly name: string;
  readonly #handle: (request: RawRequest) => Promise<Reply>;
  readonly #sockets = new Set<Duplex>();
  #certificate: Certificate | undefined;
  #server: Server | undefined;
  #port = 0;
  #dark: 'refuse' | 'drop' | null = null;

  constructor(name: string, handle: (request: RawRequest) => Promise<Reply>) {
    this.name = name;
    this.#handle = handle;
  }

  get url(): string {
    return `https://127.0.0.1:${this.#port}`;
  }

  get port(): number {
    return this.#port;
  }

  get fingerprint(): string {
    return this.#certificate?.fingerprint ?? '';
  }

  async listen(): Promise<void> {
    this.#certificate ??= await makeCertificate(this.name);
    const { key, cert } = this.#certificate;
    const server = createServer({ key, cert }, (request, response) => void this.#answer(request, response));
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
      socket.on('error', () => {});
    });
    server.on('tlsClientError', () => {});
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (server.address() as AddressInfo).port;
    this.#server = server;
    this.#dark = null;
  }

  async close(): Promise<void> {
    const server = this.#server;
    this.#server = undefined;
    this.cutConnections();
    if (server) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  /** Cuts every connection; new ones are refused, or taken and never answered. */
  goDark(how: 'refuse' | 'drop'): void {
    this.#dark = how;
    if (how === 'refuse') void this.close();
    else this.cutConnections();
  }

  async comeBack(): Promise<void> {
    this.#dark = null;
    if (!this.#server) await this.listen();
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = 'GET', url = '/', headers } = request;
      const reply = await this.#handle({
        method,
        url,
        headers,
        body: Buffer.concat(chunks).toString('utf8'),
      });
      if (this.#dark === 'drop') return;
      if (reply.cut) {
        request.socket.destroy();
        return;
      }
      const all = { ...reply.headers, 'content-length': String(Buffer.byteLength(reply.body)) };
      if (reply.reason) response.writeHead(reply.status, reply.reason, all);
      else response.writeHead(reply.status, all);
      response.end(reply.body);
    } catch {
      request.socket.destroy();
    }
  }
}
