import type { LabServer, RawRequest, Reply } from '../../src/lab/https.js';
import type { Lab } from '../../src/lab/lab.js';
import { readForm } from '../../src/lab/parameters.js';

export interface Exchange {
  readonly product: 'pve' | 'pbs';
  readonly method: string;
  readonly path: string;
  readonly parameters: Readonly<Record<string, unknown>>;
  /** Whether they were spelled in a query or form, or typed in a JSON body. */
  readonly from: 'query' | 'json';
  readonly status: number;
  /** The whole answer; undefined where it is no JSON. */
  readonly answer: { readonly data?: unknown } | undefined;
}

/** Everything that goes over the wire of a lab from now on. */
export function recordExchanges(lab: Lab): Exchange[] {
  const exchanges: Exchange[] = [];
  const listen = (product: 'pve' | 'pbs', server: LabServer) => {
    server.observe = (request, reply) => exchanges.push(exchangeOf(product, request, reply));
  };
  for (const server of lab.cluster.servers) listen('pve', server);
  for (const { server } of lab.hosts.values()) listen('pbs', server);
  return exchanges;
}

function exchangeOf(
  product: 'pve' | 'pbs',
  { method, url, headers, body }: RawRequest,
  reply: Reply,
): Exchange {
  const { pathname, search } = new URL(url, 'https://lab');
  const json = String(headers['content-type'] ?? '').startsWith('application/json');
  const inBody = body === '' ? {} : json ? (JSON.parse(body) as Record<string, unknown>) : readForm(body);
  return {
    product,
    method,
    path: pathname.replace(/^\/api2\/json/, ''),
    parameters: { ...readForm(search), ...inBody },
    from: json ? 'json' : 'query',
    status: reply.status,
    answer: parsed(reply.body),
  };
}

function parsed(body: string): Exchange['answer'] {
  try {
    return JSON.parse(body) as Exchange['answer'];
  } catch {
    return undefined;
  }
}
