import { Agent, request as send } from 'undici';
import type { z } from 'zod';
import { envelope } from '../src/api/answer.js';
import { refusal, unreadable } from '../src/api/failure.js';
import type { OneServer, Request, Server } from '../src/api/request.js';
import { authorization, type Product, type Token } from '../src/api/token.js';
import { encode, serverWords } from '../src/api/wire.js';

/** An answer as it came. */
export interface Recorded {
  readonly product: Product;
  readonly path: string;
  readonly status: number;
  readonly document: unknown;
  readonly words: string;
}

/** Answers by product, path and query. */
export type Recording = Map<string, Recorded>;

const dispatcher = new Agent({ connect: { rejectUnauthorized: false } });

/**
 * A server that answers from a recording, and asks the real one where that has nothing.
 * @param live null once only the recording counts: what it does not have is refused
 */
export function recordedServer(
  product: Product,
  name: string,
  recording: Recording,
  live: { readonly address: string; readonly token: Token } | null,
): OneServer {
  const askWhole: Server['askWhole'] = async <Answer>(request: Request, answer: z.ZodType<Answer>) => {
    const { status, document, words } = await known(request);
    const { method, path } = request;
    const asked = {
      product,
      server: name,
      tokenId: 'a@pbs!b',
      method,
      path,
      effect: false,
      refusesInPassing: false,
      needs: null,
    };
    if (status < 200 || status >= 300) throw refusal(asked, { status, words });
    const read = answer.safeParse(document);
    if (read.success) return read.data;
    throw unreadable(asked, read.error.message, status);
  };
  const known = async ({ method, path, parameters = {}, json }: Request): Promise<Recorded> => {
    const query = encode(parameters);
    const id = `${product} ${method} ${path}?${query}`;
    const found = recording.get(id);
    if (found) return found;
    if (!live) return { product, path, status: 404, document: null, words: 'not recorded' };
    const inQuery = method === 'GET' || method === 'DELETE';
    const { statusCode, statusText, body } = await send(
      `${live.address}/api2/json${path}${inQuery && query ? `?${query}` : ''}`,
      {
        method,
        dispatcher,
        headers: {
          authorization: authorization(product, live.token),
          ...(inQuery ? {} : { 'content-type': `application/${json ? 'json' : 'x-www-form-urlencoded'}` }),
        },
        body: inQuery ? null : json ? JSON.stringify(json) : query,
      },
    );
    const text = await body.text();
    const isGood = statusCode >= 200 && statusCode < 300;
    const entry = {
      product,
      path,
      status: statusCode,
      document: isGood ? JSON.parse(text) : null,
      words: isGood ? '' : serverWords(text, statusText),
    };
    // What the guest agent is asked to do has another answer each time.
    if (method === 'GET' && !path.includes('/agent/exec')) recording.set(id, entry);
    return entry;
  };
  const server: OneServer = {
    product,
    name,
    address: live?.address ?? 'https://127.0.0.1:1',
    ask: (request, data) => askWhole(request, envelope(data)),
    askWhole,
    onOne: (act) => act(server),
    dial: () => Promise.reject(new Error('no console in a recording')),
    close: async () => {},
  };
  return server;
}
