import type { Access } from '../access.js';
import { gzippedOrDeflated } from '../compression.js';
import { LabServer, type RawRequest, type Reply } from '../https.js';
import {
  decoded,
  matchPath,
  type Parameters,
  text,
  type Wording,
  whole,
  wrongParameters,
} from '../parameters.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { readPerlForm } from './form.js';

/** What a handler is given. */
export interface PveCall {
  readonly params: Readonly<Record<string, unknown>>;
  /** The node that received the request. */
  readonly receiver: string;
  readonly tokenId: string;
}

/** An endpoint as data: what it takes, what it needs, whether it is proxied to the node in its path. */
export interface PveRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly params?: Parameters;
  /** ACL path and privileges, any of which is enough; null = every authenticated caller. */
  readonly needs:
    | ((params: Readonly<Record<string, unknown>>) => readonly [path: string, anyOf: readonly string[]])
    | null;
  readonly proxied?: boolean;
  readonly handle: (call: PveCall) => unknown;
}

/** A failure in PVE's words; plain `die` is 500. */
export class PveError extends Error {
  readonly status: number;
  readonly errors: Record<string, string> | undefined;
  constructor(message: string, status = 500, errors?: Record<string, string>) {
    super(message);
    this.status = status;
    this.errors = errors;
  }
}

interface PveServerOptions {
  readonly node: string;
  readonly routes: readonly PveRoute[];
  readonly access: Access;
  readonly record: LabRecord;
  readonly time: LabTime;
  /** From the node that was asked. */
  readonly isReachable: (node: string) => boolean;
  readonly knowsNode: (node: string) => boolean;
}

const WORDS: Wording = {
  missing: 'property is missing and it is not optional',
  unknown: 'property is not defined in schema and the schema does not allow additional properties',
  type: (type, value) => `type check ('${type}') failed - got '${value}'`,
  value: (value, known) => `value '${value}' does not have a value in the enumeration '${known.join(', ')}'`,
  pattern: () => 'value does not match the regex pattern',
  short: (least) => `value must be at least ${least} characters long`,
  long: (most) => `value may only be ${most} characters long`,
  emptyArray: "type check ('array') failed",
  booleans: /^[01]$/,
};

/** The HTTPS endpoint of one node. */
export function pveServer(options: PveServerOptions): LabServer {
  const { node, record } = options;
  return new LabServer(node, async (raw) => {
    const url = new URL(raw.url, 'https://lab');
    const seen = { params: {} as Record<string, unknown>, tokenId: null as string | null };
    const reply = await answer(options, raw, url, seen);
    record.request({
      at: Date.now(),
      server: node,
      method: raw.method,
      path: url.pathname.replace(/^\/api2\/json/, ''),
      params: seen.params,
      tokenId: seen.tokenId,
      status: reply.status,
    });
    return gzippedOrDeflated(raw, reply);
  });
}

const TOKEN = /^PVEAPIToken[= ]([^=;]+)=([^;]+)$/;

/** The token of a request, where its secret is right. */
export function tokenOf(access: Access, header: string): string | null {
  const [, id, secret] = TOKEN.exec(header) ?? [];
  return id && secret && access.standingOf(id, decoded(secret)) === 'good' ? id : null;
}

/** In the order of the real server: authentication, route, parameters of the path, privilege, node, schema, code. */
async function answer(
  { node, routes, access, time, isReachable, knowsNode }: PveServerOptions,
  raw: RawRequest,
  url: URL,
  seen: { params: Record<string, unknown>; tokenId: string | null },
): Promise<Reply> {
  const framing = misframed(raw);
  if (framing) return framing;
  const header = raw.headers.authorization ?? '';
  if (!TOKEN.test(header)) return late(time, 'No ticket');
  const tokenId = tokenOf(access, header);
  if (tokenId === null) return late(time, 'Authentication failed!');
  seen.tokenId = tokenId;
  const path = url.pathname.replace(/^\/api2\/json/, '');
  const found = find(routes, raw.method, path);
  if (!found) return failure(new PveError(`Method '${raw.method} ${path}' not implemented`, 501));
  const { route, parts } = found;
  let params: Record<string, unknown>;
  try {
    params = { ...readBody(raw), ...readPerlForm(url.search), ...parts };
  } catch {
    return failure(new PveError('malformed JSON string', 500));
  }
  seen.params = params;
  const needs = route.needs?.(params);
  if (needs && !needs[1].some((privilege) => access.has(needs[0], privilege))) {
    return failure(new PveError(`Permission check failed (${needs[0]}, ${needs[1].join('|')})`, 403));
  }
  const target = String(parts.node ?? node);
  if (route.proxied) {
    if (!knowsNode(target))
      return failure(
        new PveError(
          `hostname lookup '${target}' failed - failed to get address info for: ${target}: Name or service not known`,
        ),
      );
    if (!isReachable(target)) return { status: 595, reason: 'No route to host', body: '' };
  }
  const known = {
    ...route.params,
    ...Object.fromEntries(Object.keys(parts).map((name) => [name, name === 'vmid' ? VMID : text])),
  };
  const wrong = wrongParameters(params, known, WORDS);
  if (Object.keys(wrong).length > 0)
    return failure(new PveError('Parameter verification failed.', 400, wrong));
  try {
    const data = (await route.handle({ params, receiver: node, tokenId })) ?? null;
    return json(200, 'OK', { data });
  } catch (error) {
    if (error instanceof PveError) return failure(error);
    return failure(new PveError(`internal error of the lab: ${(error as Error).message}`));
  }
}

const VMID = { ...whole, min: 100, max: 999_999_999 };

function find(routes: readonly PveRoute[], method: string, path: string) {
  for (const route of routes) {
    if (route.method !== method) continue;
    const parts = matchPath(route.path, path);
    if (parts) return { route, parts };
  }
  return null;
}

function readBody({ headers, body }: RawRequest): Record<string, unknown> {
  const type = String(headers['content-type'] ?? '');
  if (type.startsWith('application/json')) return JSON.parse(body) as Record<string, unknown>;
  return readPerlForm(body);
}

/** What is refused before anybody is asked who is calling; null = it is framed well. */
function misframed({ method, headers, body }: RawRequest): Reply | null {
  const refused = (status: number, reason: string): Reply => ({
    status,
    reason,
    headers: { 'content-type': 'text/plain', connection: 'close' },
    body: '',
  });
  if (!['GET', 'POST', 'PUT', 'DELETE'].includes(method))
    return refused(501, `method '${method}' not available`);
  if (headers['transfer-encoding'] !== undefined)
    return refused(501, 'chunked transfer encoding not supported');
  if (body === '') return null;
  if (method === 'GET' || method === 'DELETE')
    return refused(501, `Unexpected content for method '${method}'`);
  const known = /^(?:application\/x-www-form-urlencoded|application\/json|$)/;
  if (!known.test(headers['content-type'] ?? '')) return refused(506, 'unsupported content type');
  return null;
}

async function late(time: LabTime, reason: string): Promise<Reply> {
  await time.sleep(3);
  return { status: 401, reason, body: '', headers: { connection: 'close' } };
}

function failure({ status, message, errors }: PveError): Reply {
  // Of the proxy between two nodes: only the status line says why.
  if (status >= 595) return { status, reason: message, body: '', headers: { connection: 'close' } };
  return json(status, message.split('\n')[0] ?? message, {
    data: null,
    message: status === 501 ? message : `${message}\n`,
    ...(errors ? { errors } : {}),
  });
}

function json(status: number, reason: string, body: unknown): Reply {
  return {
    status,
    reason: reason.replace(/[^\x20-\x7e]/g, '?'),
    headers: {
      'content-type': 'application/json;charset=UTF-8',
      ...(status >= 400 ? { connection: 'close' } : {}),
    },
    body: JSON.stringify(body),
  };
}
