import type { Access } from '../access.js';
import { deflated } from '../compression.js';
import { LabServer, type RawRequest, type Reply } from '../https.js';
import { matchPath, type Parameters, readForm, type Wording, wrongParameters } from '../parameters.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
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
    const match = /^PBSAPIToken[= ]([^\s:]+):(.+)$/.exec(raw.headers.authorization ?? '');
    if (!match?.[1] || !match[2] || !access.isKnown(match[1], decodeURIComponent(match[2]))) {
      await time.sleep(3);
      const { status, words, headers } = differences.refusal;
      const why = match ? 'invalid API token' : 'no authentication credentials provided.';
      return { status, body: words(why), ...(headers ? { headers } : {}) };
    }
    seen.tokenId = match[1];
  }
  if (!found) return plain(404, `Path '${url.pathname}' not found.`);
  const { route, parts } = found;
  const params = { ...readParams(raw, url), ...parts };
  seen.params = params;
  const needs = typeof route.needs === 'function' ? route.needs(params) : null;
  if (needs && !needs[1].some((privilege) => access.has(needs[0], privilege))) {
    await time.sleep(0.5);
    return plain(403, 'permission check failed');
  }
  const known = {
    ...route.params,
    ...Object.fromEntries(Object.keys(parts).map((part) => [part, { type: 'string' as const }])),
  };
  const wrong = Object.entries(wrongParameters(params, known, WORDS));
  const [first] = wrong;
  if (wrong.length === 1 && first)
    return plain(400, `parameter verification failed - '${first[0]}': ${first[1]}`);
  if (wrong.length > 1)
    return plain(
      400,
      `parameter verification failed:\n${wrong.map(([name, why]) => `- '${name}': ${why}`).join('\n')}`,
    );
  if (route.daemon && !daemonRuns()) {
    return plain(400, differences.daemonDown);
  }
  try {
    const value = await route.handle({ params, tokenId: seen.tokenId ?? '' });
    if (value === CUT) return { status: 0, body: '', cut: true };
    const body =
      value instanceof WithAttributes
        ? { data: value.data ?? null, ...value.attributes }
        : { data: value ?? null };
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

/** With a JSON content type the query string is ignored, on GET too. */
function readParams(raw: RawRequest, url: URL): Record<string, unknown> {
  const json = String(raw.headers['content-type'] ?? '').startsWith('application/json');
  if (json) return raw.body === '' ? {} : (JSON.parse(raw.body) as Record<string, unknown>);
  return { ...readForm(url.search), ...readForm(raw.body) };
}

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
