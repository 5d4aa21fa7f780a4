import { readFileSync } from 'node:fs';
import { Agent, request } from 'undici';
import type { Lab } from '../../src/lab/lab.js';

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** What stands in `data`; undefined where the body is no JSON. */
  readonly data: unknown;
}

export interface Caller {
  ask(
    method: string,
    path: string,
    parameters?: Readonly<Record<string, string>>,
    more?: {
      readonly headers?: Record<string, string>;
      readonly body?: string;
      readonly signal?: AbortSignal;
    },
  ): Promise<Answer>;
  close(): Promise<void>;
}

/** Sends what a test says to a server of the lab, right or wrong, with the lab's own token unless told otherwise. */
export function callerOf(lab: Lab, product: 'pve' | 'pbs', secret = secretOf(lab, product)): Caller {
  const agent = new Agent({ connect: { rejectUnauthorized: false } });
  const address = product === 'pve' ? lab.cluster.servers[0]?.url : lab.hosts.get('pbs01')?.server.url;
  const authorization =
    product === 'pve' ? `PVEAPIToken=pbs-ctl@pve!patch=${secret}` : `PBSAPIToken=pbs-ctl@pbs!patch:${secret}`;
  return {
    async ask(method, path, parameters = {}, { headers = {}, body, signal } = {}) {
      const form = new URLSearchParams(parameters).toString();
      const inQuery = method === 'GET' || method === 'DELETE' || body !== undefined;
      const reply = await request(`${address}/api2/json${path}${inQuery && form !== '' ? `?${form}` : ''}`, {
        method: method as 'GET',
        signal: signal ?? null,
        dispatcher: agent,
        headers: {
          authorization,
          ...(inQuery || form === '' ? {} : { 'content-type': 'application/x-www-form-urlencoded' }),
          ...headers,
        },
        body: body ?? (inQuery || form === '' ? null : form),
      });
      const bytes = Buffer.from(await reply.body.arrayBuffer());
      return { status: reply.statusCode, headers: reply.headers, body: bytes, data: dataIn(bytes) };
    },
    // What was never answered does not keep it.
    close: () => agent.destroy(),
  };
}

/** Secrets lie in files of their own beside the lab's config. */
const secretOf = (lab: Lab, product: 'pve' | 'pbs') =>
  readFileSync(`${lab.dir}/secrets/${product}`, 'utf8').trim();

function dataIn(bytes: Buffer): unknown {
  try {
    return (JSON.parse(bytes.toString('utf8')) as { data?: unknown }).data;
  } catch {
    return undefined;
  }
}
