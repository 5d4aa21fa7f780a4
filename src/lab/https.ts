import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Duplex } from 'node:stream';
import { type Certificate, makeCertificate } from './certificate.js';
import { Port } from './port.js';

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
  /** The body as it goes over the wire, where it is compressed or no text. */
  readonly packed?: Buffer;
  /** Drops the connection instead of answering. */
  readonly cut?: boolean;
}

/** What a trial or test lets befall a request on its way there or back. */
export type InjectedFault =
  /** It never arrives: the connection breaks first. */
  | { readonly kind: 'cut-before' }
  /** It is carried out, and the connection breaks before the answer, or in the middle of it. */
  | { readonly kind: 'cut-after' | 'cut-within' }
  /** Nothing comes back, and the connection stays open: it is not carried out, or it is. */
  | { readonly kind: 'swallowed' | 'unanswered' }
  /** It is carried out this much later, in real milliseconds. */
  | { readonly kind: 'late'; readonly ms: number }
  /** Another server answers, such as a proxy in between; it is not carried out. */
  | { readonly kind: 'answered-instead'; readonly reply: Reply }
  /** The answer does not end: as much as the client reads, or a byte in so many real milliseconds. */
  | { readonly kind: 'endless' }
  | { readonly kind: 'trickles'; readonly everyMs: number };

/** Decides for each request what befalls it; null = nothing. */
export type Weather = (request: {
  readonly server: string;
  readonly method: string;
  /** Without `/api2/json` and query. */
  readonly path: string;
}) => (InjectedFault & { readonly struck?: () => void }) | null;

/** One HTTPS server on loopback with a certificate of its own and a port of its own. */
export class LabServer {
  readonly name: string;
  readonly #handle: (request: RawRequest) => Promise<Reply>;
  readonly #sockets = new Set<Duplex>();
  weather: Weather = () => null;
  /** How many connections it has taken. */
  connections = 0;
  /** Called as a request arrives; what it returns is called when it is answered, or the client has given it up. */
  arrived: (request: RawRequest) => ((how: 'answered' | 'given-up') => void) | undefined = () => undefined;
  /** Told of every request that was answered, with its answer. */
  observe: (request: RawRequest, reply: Reply) => void = () => {};
  /** Takes a connection over for another protocol; by default it is cut. */
  upgrade: (request: IncomingMessage, socket: Duplex, head: Buffer) => void = (_, socket) => socket.destroy();
  /** Told of each certificate that it begins to serve. */
  certified: (certificate: Certificate) => void = () => {};
  readonly #port = new Port();
  #certificate: Certificate | undefined;
  #silent = false;
  #stalled: { readonly over: Promise<void>; readonly end: () => void } | null = null;
  /** Counts when it went or came, so that a late coming back does not undo a newer going. */
  #coming = 0;

  constructor(name: string, handle: (request: RawRequest) => Promise<Reply>) {
    this.name = name;
    this.#handle = handle;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  get port(): number {
    return this.#port.number;
  }

  get fingerprint(): string {
    return this.#certificate?.fingerprint ?? '';
  }

  async listen(): Promise<void> {
    await this.#port.bind();
    await this.comeBack();
  }

  async close(): Promise<void> {
    this.cutConnections();
    await this.#port.release();
  }

  /** Cuts every connection; new ones are refused, or taken and never answered. */
  goDark(how: 'refuse' | 'drop'): void {
    this.#coming += 1;
    this.#silent = how === 'drop';
    if (how === 'refuse') this.#port.shut();
    this.cutConnections();
  }

  async comeBack(): Promise<void> {
    this.#coming += 1;
    const coming = this.#coming;
    this.#certificate ??= await makeCertificate(this.name);
    // It may have gone dark meanwhile.
    if (coming !== this.#coming) return;
    this.#silent = false;
    this.certified(this.#certificate);
    const server = this.#serverWith(this.#certificate);
    this.#port.open((socket) => {
      this.#sockets.add(socket);
      this.connections += 1;
      socket.on('close', () => this.#sockets.delete(socket)).on('error', () => {});
      if (this.#stalled) void this.#stalled.over.then(() => server.emit('connection', socket));
      else server.emit('connection', socket);
    });
  }

  /** While it stalls, no TLS handshake begins and no request is taken up; all of them wait. */
  stall(stalled: boolean): void {
    if (stalled && !this.#stalled) {
      let end = () => {};
      const over = new Promise<void>((resolve) => {
        end = resolve;
      });
      this.#stalled = { over, end };
    }
    if (stalled || !this.#stalled) return;
    const { end } = this.#stalled;
    this.#stalled = null;
    end();
  }

  cutConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #serverWith({ key, cert }: Certificate): Server {
    return createServer({ key, cert }, (request, response) => void this.#answer(request, response))
      .on('tlsClientError', () => {})
      .on('upgrade', (request, socket, head) => {
        if (!this.#silent) this.upgrade(request, socket, head);
      });
  }

  /** Serves this one from its next coming back on. */
  takeCertificate(certificate: Certificate): void {
    this.#certificate = certificate;
  }

  /** Comes back with another certificate, as after a renewal. */
  forgetCertificate(): void {
    this.#certificate = undefined;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    try {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      const { method = 'GET', url = '/', headers } = request;
      const raw = { method, url, headers, body: Buffer.concat(chunks).toString('utf8') };
      const ended = this.arrived(raw);
      response.on('close', () => ended?.(response.writableFinished ? 'answered' : 'given-up'));
      while (this.#stalled) await this.#stalled.over;
      const path = pathOf(url);
      const fault = this.weather({ server: this.name, method, path });
      if (fault && fault.kind !== 'cut-after' && fault.kind !== 'cut-within') fault.struck?.();
      if (fault?.kind === 'cut-before') return void request.socket.destroy();
      if (fault?.kind === 'swallowed') return;
      if (fault?.kind === 'endless') return pourOut(response);
      if (fault?.kind === 'trickles') return trickle(response, fault.everyMs);
      if (fault?.kind === 'late') await new Promise((resolve) => setTimeout(resolve, fault.ms));
      const reply = fault?.kind === 'answered-instead' ? fault.reply : await this.#handle(raw);
      this.observe(raw, reply);
      if (fault?.kind === 'cut-after' || fault?.kind === 'cut-within') fault.struck?.();
      if (this.#silent || fault?.kind === 'unanswered') return;
      if (reply.cut || fault?.kind === 'cut-after') return void request.socket.destroy();
      const sent = reply.packed ?? Buffer.from(reply.body);
      const all = { ...reply.headers, 'content-length': String(sent.length) };
      if (reply.reason) response.writeHead(reply.status, reply.reason, all);
      else response.writeHead(reply.status, all);
      if (fault?.kind === 'cut-within') {
        response.write(sent.subarray(0, sent.length / 2), () => request.socket.destroy());
        return;
      }
      response.end(sent);
    } catch {
      request.socket.destroy();
    }
  }
}

/** Without what every path of the API begins with, and without the query. */
const pathOf = (url: string) => url.replace(/[?#].*$/s, '').replace(/^\/api2\/json/, '');

function trickle(response: ServerResponse, everyMs: number): void {
  response.writeHead(200, { 'content-type': 'application/json;charset=UTF-8' });
  response.write(' ');
  const timer = setInterval(() => response.write(' '), everyMs);
  response.on('close', () => clearInterval(timer));
}

/** As fast as it is read, and without an end. */
function pourOut(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'application/json;charset=UTF-8' });
  const chunk = ' '.repeat(65_536);
  const pour = () => {
    while (!response.destroyed && response.write(chunk)) {
      // Until the socket is full.
    }
  };
  response.on('drain', pour);
  pour();
}
