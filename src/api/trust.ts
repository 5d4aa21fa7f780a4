import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { isIP } from 'node:net';
import * as tls from 'node:tls';
import { buildConnector, errors } from 'undici';
import type { TlsConfig } from '../config/schema.js';
import { EXIT, Fault } from '../fault.js';
import { distrustTrouble, handshakeTrouble } from './tls-words.js';

export interface TrustOptions {
  readonly tls: TlsConfig;
  /** Longest time for name look-up, TCP and TLS together, milliseconds. */
  readonly connectTimeoutMs: number;
  /** By when the server has to have taken the connection, before TLS: a host that is away takes none. */
  readonly taken?: AbortSignal;
  /** Where SSL_CERT_FILE is looked for. */
  readonly env: Readonly<Record<string, string | undefined>>;
}

type Trusted = Pick<TrustOptions, 'tls' | 'env'>;

/** No connection came about, so no byte of the request has left this machine. */
export class NotConnected extends Error {
  override readonly name = 'NotConnected';
  /** What to do, where the reason says more than that nothing answers. */
  readonly hint: string | null;

  constructor(
    message: string,
    { hint = null, ...options }: ErrorOptions & { readonly hint?: string | null } = {},
  ) {
    super(message, options);
    this.hint = hint;
  }
}

const DEBIAN_CA_BUNDLE = '/etc/ssl/certs/ca-certificates.crt';

/**
 * Opens TLS connections for undici. The certificate is judged before undici gets the socket: a server
 * that is not trusted never sees a byte of the token.
 * @throws (through the callback) Fault `net.untrusted`, and what {@link encrypted} throws
 */
export function trustingConnector(options: TrustOptions): buildConnector.connector {
  return (server, callback) => {
    encrypted(server, options).then(
      (socket) => {
        const { hostname, port } = server;
        const distrusted = distrust(socket, `${hostname}:${port || 443}`, options.tls.fingerprints);
        if (!distrusted) return callback(null, socket);
        socket.destroy();
        callback(distrusted, null);
      },
      (error: Error) => callback(error, null),
    );
  };
}

/**
 * A connection to a server that is not judged yet: nothing may be sent over it. Sessions are not cached,
 * because a resumed one brings no certificate to judge.
 * @throws NotConnected, or Fault `config.ca-file`
 */
export async function encrypted(
  { protocol, hostname, port }: Pick<URL, 'protocol' | 'hostname' | 'port'>,
  options: TrustOptions,
): Promise<tls.TLSSocket> {
  const connect = buildConnector({
    secureContext: contextFor(options),
    rejectUnauthorized: false,
    maxCachedSessions: 0,
    timeout: options.connectTimeoutMs,
  });
  return new Promise((resolve, reject) => {
    const bare = hostname.replace(/^\[|\]$/g, '');
    // A proxy tells the servers behind it apart by the name in the handshake; an address cannot be one.
    const named = isIP(bare) === 0;
    const address = { protocol, hostname: bare, port, ...(named ? { servername: bare } : {}) };
    // The socket is returned, though its type does not say so.
    const made: unknown = connect(address, (error, socket) => {
      if (!error) return resolve(socket as tls.TLSSocket);
      const why =
        error instanceof errors.ConnectTimeoutError
          ? `no connection within ${Math.ceil(options.connectTimeoutMs / 1000)} s`
          : reason(error);
      const trouble = handshakeTrouble(error, named);
      reject(new NotConnected(trouble?.why ?? why, { cause: error, hint: trouble?.hint ?? null }));
    });
    const { taken } = options;
    if (!taken || !(made instanceof tls.TLSSocket)) return;
    const leave = () => made.destroy(new Error('no connection was accepted'));
    taken.addEventListener('abort', leave, { once: true });
    made.once('connect', () => taken.removeEventListener('abort', leave));
  });
}

/**
 * What a connection trusts, made once for all servers of a process: the system's CAs are hundreds, and a
 * fleet has as many connections. Kept with the environment that says where the CAs are.
 */
const contexts = new WeakMap<TrustOptions['env'], Map<string, tls.SecureContext>>();

function contextFor(options: Trusted): tls.SecureContext {
  const known = contexts.get(options.env) ?? new Map<string, tls.SecureContext>();
  contexts.set(options.env, known);
  const { fingerprints, caFile } = options.tls;
  const source = fingerprints ? 'pinned' : `CAs ${caFile ?? ''}`;
  const context =
    known.get(source) ?? tls.createSecureContext(fingerprints ? {} : { ca: readAuthorities(options) });
  known.set(source, context);
  return context;
}

/**
 * Reads the CA file that the config or the environment names, so that an error of it is found before anything
 * is contacted. Connections made later need the file no more.
 * @throws Fault `config.ca-file` (exit 2)
 */
export function readTrust(options: Trusted): void {
  if (options.tls.caFile || (options.env.SSL_CERT_FILE && !options.tls.fingerprints)) contextFor(options);
}

/** Null when the certificate of the other side is one that the config accepts. */
export function distrust(
  socket: tls.TLSSocket,
  address: string,
  pinned: readonly string[] | undefined,
  // Node hands it out once.
  certificate = socket.getPeerX509Certificate(),
): Fault | null {
  const seen = certificate?.fingerprint256.toUpperCase() ?? 'none';
  if (pinned) {
    if (pinned.some((each) => each.toUpperCase() === seen)) return null;
    const expected = pinned.length === 1 ? 'fingerprint' : 'one of the fingerprints';
    return new Fault(
      'net.untrusted',
      `The certificate of ${address} is not the expected one: seen ${seen}, expected ${expected} ${pinned.join(', ')}.`,
      {
        denied: 'certificate',
        hint: 'Compare on the console of that host. Only if it was renewed on purpose, put the new fingerprint into "tls.fingerprints". The token was not sent.',
      },
    );
  }
  if (socket.authorized) return null;
  // Documented as an Error, but in fact the code of it.
  const trouble = distrustTrouble(String(socket.authorizationError), certificate);
  return new Fault(
    'net.untrusted',
    `The certificate of ${address} (fingerprint ${seen}) is not trusted: ${trouble.why}.`,
    { denied: 'certificate', hint: `${trouble.hint} The token was not sent.` },
  );
}

/** PEM texts of the CAs to trust: those of `caFile`, or those of the system and of Node. */
function readAuthorities({ tls: trusted, env }: Trusted): string[] {
  if (trusted.caFile) return [readBundle(trusted.caFile, trusted.place ?? 'tls.caFile')];
  if (env.SSL_CERT_FILE) return [readBundle(env.SSL_CERT_FILE, 'SSL_CERT_FILE')];
  const { getCACertificates } = tls as { getCACertificates?: (type: 'default' | 'system') => string[] };
  if (getCACertificates) return [...getCACertificates('default'), ...getCACertificates('system')];
  // Node 20 knows only the CAs it was built with; those that the administrator added are in this file.
  try {
    return [...tls.rootCertificates, readFileSync(DEBIAN_CA_BUNDLE, 'utf8')];
  } catch {
    return [...tls.rootCertificates];
  }
}

const PEM_BEGIN = '-----BEGIN CERTIFICATE-----';

function isCertificate(afterBegin: string): boolean {
  try {
    return new X509Certificate(`${PEM_BEGIN}${afterBegin}`).raw.length > 0;
  } catch {
    return false;
  }
}

function readBundle(path: string, origin: string): string {
  const options = { hint: `Correct ${origin}.`, exitCode: EXIT.usage };
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    throw new Fault('config.ca-file', `The CA file "${path}" of ${origin} cannot be read`, {
      ...options,
      cause,
    });
  }
  // TLS itself passes over what it cannot read, and then trusts no one.
  if (text.split(PEM_BEGIN).slice(1).some(isCertificate)) return text;
  throw new Fault(
    'config.ca-file',
    `The CA file "${path}" of ${origin} holds no certificate in PEM form.`,
    options,
  );
}

/** Why a connection failed, in words; several addresses of one name give one line. */
function reason(error: Error): string {
  if (error instanceof AggregateError) {
    return [...new Set(error.errors.map((each) => reason(asError(each))))].join('; ');
  }
  const { code } = error as NodeJS.ErrnoException;
  return (code && WORDS[code]) ?? error.message;
}

const WORDS: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  ECONNRESET: 'the connection was reset',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'the network is unreachable',
  ETIMEDOUT: 'no answer to the attempt to connect',
  ENOTFOUND: 'the name is not known',
  EAI_AGAIN: 'the name could not be looked up',
};

const asError = (error: unknown): Error => (error instanceof Error ? error : new Error(String(error)));
