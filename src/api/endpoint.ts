import { type buildConnector, Client, type Dispatcher, Pool } from 'undici';
import type { z } from 'zod';
import { Fault } from '../fault.js';
import { envelope } from './answer.js';
import type { ByteStream } from './byte-stream.js';
import {
  type Asked,
  anotherProduct,
  broken,
  outOfTime,
  refusal,
  seconds,
  timedOut,
  unreachable,
  unreadable,
} from './failure.js';
import { isRead, repeated } from './repeat.js';
import { type OneServer, type Request, repeatOf, type ServerOptions } from './request.js';
import { authorization, type Product, redact, type Token } from './token.js';
import { NotConnected, type TrustOptions, trustingConnector } from './trust.js';
import { encode, type Parameters, readBytes, serverWords, TooLarge } from './wire.js';

/** PVE closes idle connections after 5 s: ours must be given up before. */
const IDLE_MS = 3500;
const LONGEST_CONNECT_MS = 10_000;

/** One server at one address. */
export class Endpoint implements OneServer {
  readonly product: Product;
  readonly name: string;
  readonly address: string;
  readonly #options: ServerOptions;
  readonly #token: Token;
  readonly #trust: TrustOptions;
  readonly #connect: buildConnector.connector;
  readonly #clientOptions: Client.Options;
  readonly #pool: Pool;
  /** When it answered last, by the monotonic clock. */
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(product: Product, address: string, options: ServerOptions) {
    this.product = product;
    this.name = options.name;
    this.address = address;
    this.#options = options;
    this.#token = { id: options.tokenId, secret: options.secret };
    this.#trust = {
      tls: options.tls,
      env: options.world.env,
      connectTimeoutMs: Math.min(LONGEST_CONNECT_MS, options.requestTimeoutMs),
    };
    this.#connect = trustingConnector(this.#trust);
    // undici's own limits are off: one limit covers the whole request.
    this.#clientOptions = {
      connect: this.#connect,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      headersTimeout: 0,
      bodyTimeout: 0,
    };
    this.#pool = new Pool(address, { ...this.#clientOptions, connections: options.connections ?? null });
  }

  ask<Answer>(request: Request, data: z.ZodType<Answer>): Promise<Answer> {
    return this.askWhole(request, envelope(data));
  }

  askWhole<Answer>(request: Request, answer: z.ZodType<Answer>): Promise<Answer> {
    return repeated(repeatOf(request), () => this.askOnce(request, answer), {
      ...this.#options,
      ...(request.signal ? { signal: request.signal } : {}),
    });
  }

  /** Exactly one request. */
  async askOnce<Answer>(request: Request, answer: z.ZodType<Answer>): Promise<Answer> {
    const asked = this.#asked(request);
    const { status, body } = await this.#send(request, asked);
    let document: unknown;
    try {
      document = request.bytes ? body : JSON.parse(body.toString('utf8'));
    } catch {
      const text = body.toString('utf8');
      if (text.trimStart().startsWith('<')) throw anotherProduct(asked, 'with a web page', status);
      throw unreadable(asked, `it is not JSON: ${this.#quote(text)}`, status);
    }
    const read = answer.safeParse(document);
    if (read.success) return read.data;
    const issues = read.error.issues.slice(0, 3).map(({ path, message }) => {
      const field = path.filter((part, index) => index > 0 || part !== 'data').join('.');
      return `${field || 'data'}: ${message}`;
    });
    throw unreadable(asked, this.#quote(issues.join('; ')), status);
  }

  onOne<Result>(act: (one: OneServer) => Promise<Result>): Promise<Result> {
    return act(this);
  }

  async dial(path: string, parameters: Parameters): Promise<ByteStream> {
    const asked = this.#asked({ method: 'GET', path, repeat: 'once', effect: false });
    const limitMs = this.#limitOf({});
    if (limitMs <= 0) throw outOfTime(asked);
    // Few commands look at a console.
    const { dial, NotUpgraded } = await import('./dial.js');
    try {
      return await dial(this.#connect, this.address, `/api2/json${path}?${encode(parameters)}`, {
        authorization: authorization(this.product, this.#token),
        clock: this.#options.world.clock,
        limitMs,
      });
    } catch (error) {
      if (error instanceof Fault) throw error;
      const words = this.#quote(error instanceof Error ? error.message : String(error));
      if (error instanceof NotConnected) throw unreachable(asked, words, {}, { hint: error.hint });
      if (error instanceof NotUpgraded) throw refusal(asked, { status: error.status, words });
      throw broken(asked, words, error);
    }
  }

  async close(): Promise<void> {
    await this.#pool.destroy();
  }

  async #send(request: Request, asked: Asked): Promise<{ status: number; body: Buffer }> {
    const { requestTimeoutMs, world } = this.#options;
    const { clock } = world;
    const limitMs = this.#limitOf(request);
    if (limitMs <= 0) throw outOfTime(asked);
    const limit = clock.timeout(limitMs);
    const signal = request.signal ? AbortSignal.any([limit, request.signal]) : limit;
    const started = clock.monotonic();
    // A reused connection may just have been closed by the server; what must not be lost gets its own.
    const alone = (request.fresh ?? asked.effect) ? this.#connectAlone(request) : null;
    let status: number | null = null;
    try {
      const sent = (alone?.client ?? this.#pool).request({ ...this.#wire(request), signal });
      const response = await unlessAborted(sent, signal);
      status = response.statusCode;
      this.#answeredAt = clock.monotonic();
      const body = await readBytes(response.body);
      if (status >= 200 && status < 300) return { status, body };
      const text = body.toString('utf8');
      const other = otherProduct(this.product, { status, text, server: response.headers.server });
      if (other) throw anotherProduct(asked, other, status);
      const words = this.#quote(serverWords(text, response.statusText));
      throw refusal(asked, { status, words });
    } catch (error) {
      if (error instanceof TooLarge) throw unreadable(asked, error.message, status ?? 0);
      if (error instanceof Fault) throw error;
      request.signal?.throwIfAborted();
      if (error instanceof NotConnected) throw unreachable(asked, error.message, {}, { hint: error.hint });
      if (limit.aborted) {
        const neverSent = alone !== null && !alone.isConnected();
        if (neverSent) throw unreachable(asked, `no connection within ${seconds(limitMs)}`);
        const proxyAnswers = this.#answeredAt >= started - requestTimeoutMs;
        const ofDaemon = request.ofDaemon === true && proxyAnswers;
        throw timedOut({ ...asked, ofDaemon }, limitMs, limitMs === requestTimeoutMs);
      }
      const why = error instanceof Error ? error.message : String(error);
      throw broken(asked, this.#quote(why), error);
    } finally {
      void alone?.client.destroy();
      this.#options.onRequest?.({
        endpoint: this.address,
        method: request.method,
        path: request.path,
        status,
        durationMs: clock.monotonic() - started,
      });
    }
  }

  #limitOf({ limitMs }: Pick<Request, 'limitMs'>): number {
    const { requestTimeoutMs, deadline } = this.#options;
    const wanted = limitMs ?? requestTimeoutMs;
    // A timer takes whole milliseconds.
    return Math.ceil(deadline?.within(wanted) ?? wanted);
  }

  #connectAlone({ takenMs }: Request) {
    const options = { ...this.#clientOptions };
    if (takenMs !== undefined)
      options.connect = trustingConnector({
        ...this.#trust,
        taken: this.#options.world.clock.timeout(takenMs),
      });
    const client = new Client(this.address, options);
    let connected = false;
    client.once('connect', () => {
      connected = true;
    });
    return { client, isConnected: () => connected };
  }

  #wire({ method, path, parameters = {}, json }: Request): Dispatcher.RequestOptions {
    const form = encode(parameters);
    const inQuery = method === 'GET' || method === 'DELETE';
    const headers: Record<string, string> = {
      authorization: authorization(this.product, this.#token),
      accept: 'application/json',
      // PBS 3.2 compresses in a way of its own.
      'accept-encoding': 'identity',
      'user-agent': 'pbs-ctl',
    };
    let body: string | null = null;
    // A JSON content type without a body is refused by PVE, and makes PBS ignore the query.
    if (json) {
      headers['content-type'] = 'application/json';
      body = JSON.stringify(json);
    } else if (!inQuery && form !== '') {
      headers['content-type'] = 'application/x-www-form-urlencoded';
      body = form;
    }
    return { method, path: `/api2/json${path}${inQuery && form !== '' ? `?${form}` : ''}`, headers, body };
  }

  #asked(request: Request): Asked {
    const kind = this.product === 'pbs' ? 'PBS' : 'PVE cluster';
    return {
      product: this.product,
      server: `${kind} "${this.name}" (${this.address})`,
      tokenId: this.#token.id,
      method: request.method,
      path: request.path,
      refusesInPassing: repeatOf(request) === 'patient-read',
      effect: request.effect ?? !isRead(repeatOf(request)),
      needs: request.needs ?? null,
    };
  }

  /** Foreign words for a message: no secret, one line, not endless. */
  #quote(words: string): string {
    const line = redact(words, this.#token).replace(/\s+/g, ' ').trim();
    return line.length > 500 ? `${line.slice(0, 500)}…` : line;
  }
}

/**
 * What answers instead of the product; null where nothing says so. That a path is missing would otherwise be
 * taken for an older version; other errors of a proxy say nothing about what is behind it.
 */
function otherProduct(
  product: Product,
  { status, text, server }: { status: number; text: string; server: string | string[] | undefined },
): string | null {
  if (product === 'pbs' && /^pve-api-daemon\b/.test(String(server ?? ''))) return 'as a PVE node does';
  return status === 404 && text.trimStart().startsWith('<') ? 'with a web page' : null;
}

/** undici heeds a signal only once it is connected, which a host that drops packets can delay by seconds. */
function unlessAborted<Result>(pending: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    pending.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
