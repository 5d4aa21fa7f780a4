import type { z } from 'zod';
import type { TlsConfig } from '../config/schema.js';
import type { World } from '../world.js';
import type { ByteStream } from './byte-stream.js';
import type { Deadline } from './deadline.js';
import type { Patience, Repeat } from './repeat.js';
import type { Privilege, Product, Token } from './token.js';
import type { Parameters } from './wire.js';

export type Method = 'GET' | 'POST' | 'PUT' | 'DELETE';

/** One request to one endpoint of the API. */
export interface Request {
  readonly method: Method;
  /** Below /api2/json, encoded: build it with {@link at}. */
  readonly path: string;
  /** Query of GET and DELETE, form of POST and PUT; lists repeat the key, undefined is left out. */
  readonly parameters?: Parameters;
  /** The answer is a file, not a document: it is read as a Buffer. */
  readonly bytes?: true;
  /** A JSON body instead of a form: only where the endpoint takes a list whose elements may be "0". */
  readonly json?: object;
  /** May it be sent again? Default: `read` for GET, `once` for the rest. */
  readonly repeat?: Repeat;
  /** Does a lost answer leave something open? Default: true for all but reads. */
  readonly effect?: boolean;
  /** The root daemon of PBS answers it, not the proxy: where that hangs, this does, and much else does not. */
  readonly ofDaemon?: true;
  /** Longest time for the whole request, milliseconds; default: that of the server. */
  readonly limitMs?: number;
  /** The privilege it takes, where the server's refusal does not name it (PBS). */
  readonly needs?: Privilege;
  /** Use a connection of its own, closed afterwards. Default: for all that has an effect. */
  readonly fresh?: boolean;
  /** The longest time until the server takes that connection, before TLS; milliseconds. */
  readonly takenMs?: number;
  readonly signal?: AbortSignal;
}

/** What answers requests: one server, or a cluster of them. */
export interface Server {
  readonly product: Product;
  readonly name: string;
  /** `https://host:port` of the one that is asked now. */
  readonly address: string;
  /** The `data` of the answer. @throws ApiFault, or Fault `net.untrusted` */
  ask<Answer>(request: Request, data: z.ZodType<Answer>): Promise<Answer>;
  /** The whole answer, for what stands beside `data`. */
  askWhole<Answer>(request: Request, answer: z.ZodType<Answer>): Promise<Answer>;
  /** For requests that belong together on one server: of a cluster the first that answers. */
  onOne<Result>(act: (one: OneServer) => Promise<Result>): Promise<Result>;
  close(): Promise<void>;
}

/** A single server, to which one can also keep a connection for bytes in both directions. */
export interface OneServer extends Server {
  /** @throws ApiFault, or Fault `net.untrusted` */
  dial(path: string, parameters: Parameters): Promise<ByteStream>;
}

export interface ServerOptions {
  /** Name of the host or cluster in the config. */
  readonly name: string;
  /** `https://host:port`; PBS uses the first, PVE tries them in this order. */
  readonly endpoints: readonly string[];
  readonly tokenId: string;
  readonly secret: Token['secret'];
  readonly tls: TlsConfig;
  readonly requestTimeoutMs: number;
  /** `env` for SSL_CERT_FILE. */
  readonly world: Pick<World, 'clock' | 'env' | 'random'>;
  readonly patience?: Patience;
  /** Of a command that only reads: no request takes longer than `requestTimeoutMs`, and silence is final. */
  readonly deadline?: Deadline;
  /** How many connections are kept at once for what only looks; without it as many as there are questions. */
  readonly connections?: number;
  /** Told after each request, without parameters and secrets. */
  readonly onRequest?: (event: RequestEvent) => void;
}

interface RequestEvent {
  readonly endpoint: string;
  readonly method: Method;
  readonly path: string;
  /** Null when no answer came. */
  readonly status: number | null;
  readonly durationMs: number;
}

/** A path with every inserted part percent-encoded (UPIDs hold `:`, `@`, `!` and backslashes). */
export function at(texts: TemplateStringsArray, ...parts: readonly (string | number)[]): string {
  return String.raw({ raw: texts }, ...parts.map((part) => encodeURIComponent(part)));
}

export const repeatOf = ({ repeat, method }: Request): Repeat =>
  repeat ?? (method === 'GET' ? 'read' : 'once');
