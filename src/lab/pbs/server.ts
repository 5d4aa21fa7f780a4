import type { Access } from '../access.js';
import { deflated } from '../compression.js';
import { LabServer, type RawRequest, type Reply } from '../https.js';
import { matchPath, type Parameters, readForm, text, type Wording, wrongParameters } from '../parameters.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { callerOf } from './authentication.js';
import type { Differences } from './differences.js';

export interface PbsCall {
  readonly params: Readonly<Record<string, unknown>>;
  readonly tokenId: string;
}

/** What stands beside `data` in an answer. */
export class WithAttributes {
  readonly data: unknown;
  readonly attributes: Readonly<Record<string, unknown>>;
  constructor(data: unknown, attributes: Readonly<Record<string, unknown>>) {
    this.data = data;
    this.attributes = attributes;
  }
}

/** An answer that is not JSON, such as a file. */
export class Raw {
  readonly body: string | Buffer;
  readonly type: string;
  constructor(body: string | Buffer, type: string) {
    this.body = body;
    this.type = type;
  }
}

/** Drops the connection instead of answering. */
export const CUT = Symbol('cut');

export interface PbsRoute {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly params?: Parameters;
  /** ACL path and privileges, any of which is enough; null = every authenticated caller; 'world' = open to all. */
  readonly needs:
    | ((params: Readonly<Record<string, unknown>>) => readonly [path: string, anyOf: readonly string[]])
    | null
    | 'world';
  /** Executed by the privileged daemon behind the proxy. */
  readonly daemon?: boolean;
  /** What is beside `data` in every answer. */
  readonly beside?: () => Readonly<Record<string, unknown>>;
  readonly handle: (call: PbsCall) => unknown;
}

/** A failure in PBS's words; what a handler reports is 400. */
export class PbsError extends Error {
  readonly status: number;
  constructor(message: string, status = 400) {
    super(message);
    this.status = status;
  }
}

const WORDS: Wording = {
  missing: 'parameter is missing and it is not optional.',
  unknown: 'schema does not allow additional properties.',
  type: (type) => `Expected ${type} value.`,
  value: (value) => `value '${value}' is not defined in the enumeration.`,
  pattern: () => 'value does not match the regex pattern',
  short: (least) => `value must be at least ${least} characters long`,
  long: (most) => `value may only be ${most} characters long`,
  duplicate: 'duplicate parameter.',
  booleans: /^(?:0|1|on|off|yes|no|true|false)$/i,
};

interface PbsServerOptions {
  readonly name: string;
  readonly routes: readonly PbsRoute[];
  readonly access: Access;
  readonly record: LabRecord;
  readonly time: LabTime;
  readonly daemonRuns: () => boolean;
  readonly differences: Differences;
}

export function pbsServer(options: PbsServerOptions): LabServer {
  const { name, record } = options;
  return new LabServer(name, async (raw) => {
    const url = new URL(raw.url, 'https://lab');
    const seen = { params: {} as Record<string, unknown>, tokenId: null as string | null };
    const reply = await answer(options, raw, url, seen);
    record.request({
      at: Date.now(),
      server: name,
      method: raw.method,
      path: url.pathname.replace(/^\/api2\/json/, ''),
      params: seen.params,
      tokenId: seen.tokenId,
      status: reply.status,
    });
    return deflated(raw, reply);
  });
}

async function answer(
  { routes, access, time, daemonRuns, differences }: PbsServerOptions,
  raw: RawRequest,
  url: URL,
  seen: { params: Record<string, unknown>; tokenId: string | null },
): Promise<Reply> {
  if (raw.url.length > LONGEST_URL) return { status: 414, body: '' };
  const path = url.pathname.replace(/^\/api2\/json/, '');
  const found = find(routes, raw.method, path);
  if (found?.route.needs !== 'world') {
    const caller = callerOf(raw.headers.authorization, access);
    if ('why' in caller) {
      await time.sleep(3);
      const { status, words, headers } = differences.refusal;
      return { status, body: words(caller.why), ...(headers && caller.credentials ? { headers } : {}) };
    }
    seen.tokenId = caller.tokenId;
  }
  if (!found) return plain(404, `Path '${url.pathname}' not found.`);
  const { route, parts } = found;
  const needs = typeof route.needs === 'function' ? route.needs(parts) : null;
  if (needs && !needs[1].some((privilege) => access.has(needs[0], privilege))) {
    await time.sleep(0.5);
    return plain(403, 'permission check failed');
  }
  let params: Readonly<Record<string, unknown>>;
  try {
    params = { ...readParams(raw, url), ...parts };
    seen.params = params;
    verify(params, route, parts, differences);
  } catch (error) {
    return plain(400, (error as Error).message);
  }
  if (route.daemon && !daemonRuns()) {
    return plain(400, differences.daemonDown);
  }
  try {
    const value = await route.handle({ params, tokenId: seen.tokenId ?? '' });
    if (value === CUT) return { status: 0, body: '', cut: true };
    if (value instanceof Raw)
      return {
        status: 200,
        headers: { 'content-type': value.type },
        ...(typeof value.body === 'string' ? { body: value.body } : { body: '', packed: value.body }),
      };
    const beside = route.beside?.();
    const body =
      value instanceof WithAttributes
        ? { data: value.data ?? null, ...value.attributes }
        : { data: value ?? null, ...beside };
    return {
      status: 200,
      headers: { 'content-type': 'application/json;charset=UTF-8' },
      body: JSON.stringify(body),
    };
  } catch (error) {
    if (error instanceof PbsError) return plain(error.status, error.message);
    return plain(400, `internal error of the lab: ${(error as Error).message}`);
  }
}

/** Path and query together. */
const LONGEST_URL = 3072;

/** @throws PbsError in the words of the server */
function verify(
  params: Readonly<Record<string, unknown>>,
  route: PbsRoute,
  parts: Readonly<Record<string, string>>,
  differences: Differences,
): void {
  for (const [name, { byCode, values = [] }] of Object.entries(route.params ?? {})) {
    const unknown = [params[name]]
      .flat()
      .find((each) => each !== undefined && !values.includes(String(each)));
    if (byCode && unknown !== undefined)
      throw new PbsError(differences.unknownVariant(name, String(unknown), values));
  }
  const inPath = Object.fromEntries(Object.keys(parts).map((part) => [part, text]));
  const wrong = Object.entries(wrongParameters(params, { ...inPath, ...route.params }, WORDS));
  const [first] = wrong;
  if (wrong.length === 1 && first)
    throw new PbsError(`parameter verification failed - '${first[0]}': ${first[1]}`);
  if (wrong.length > 1)
    throw new PbsError(
      `parameter verification failed:\n${wrong.map(([name, why]) => `- '${name}': ${why}`).join('\n')}`,
    );
}

/** So many bytes are too many. */
const BODY_LIMIT = 512 * 1024;

/**
 * With a JSON content type the query string is ignored, on GET too.
 * @throws PbsError for a body that cannot be read
 */
function readParams(raw: RawRequest, url: URL): Record<string, unknown> {
  if (Buffer.byteLength(raw.body) >= BODY_LIMIT) throw new PbsError('Request body too large');
  const type = String(raw.headers['content-type'] ?? '');
  if (type.startsWith('application/json')) return raw.body === '' ? {} : parsed(raw.body);
  if (type !== '' && !type.startsWith('application/x-www-form-urlencoded'))
    throw new PbsError(`unsupported content type "${type}"`);
  return readForm([url.search.replace(/^\?/, ''), raw.body].filter(Boolean).join('&'));
}

function parsed(body: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(body);
  } catch {
    throw new PbsError('expected value at line 1 column 1');
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw new PbsError('Got JSON body that is not an object');
  return value as Record<string, unknown>;
}

/** Lists of datastores and jobs come in another order each time. */
export const shuffled = <Item>(items: readonly Item[]): Item[] =>
  items
    .map((item) => [Math.random(), item] as const)
    .sort(([one], [other]) => one - other)
    .map(([, item]) => item);

function find(routes: readonly PbsRoute[], method: string, path: string) {
  for (const route of routes) {
    if (route.method !== method) continue;
    const parts = matchPath(route.path, path);
    if (parts) return { route, parts };
  }
  return null;
}

/** Errors are plain text, whatever their content type says. */
const plain = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'application/json;charset=UTF-8' },
  body,
});
