import { EnvHttpProxyAgent, fetch as undiciFetch } from 'undici';
import type { World } from '../world.js';

export type Fetch = (url: string | URL, init?: RequestInit) => Promise<Response>;

/**
 * For what leads out of the network, Slack and the webhook: by way of the web proxy that HTTPS_PROXY names, NO_PROXY
 * aside. Certificates are checked whatever the environment says. PBS and PVE are never asked through a proxy.
 */
export async function withWeb<Result>(
  env: World['env'],
  act: (fetch: Fetch) => Promise<Result>,
): Promise<Result> {
  const checked = { rejectUnauthorized: true };
  const dispatcher = new EnvHttpProxyAgent({
    // Plain http goes to loopback only.
    httpProxy: '',
    httpsProxy: proxyOf(env) ?? '',
    noProxy: env.no_proxy ?? env.NO_PROXY ?? '',
    connect: checked,
    requestTls: checked,
    proxyTls: checked,
  });
  // Its types are those of Node's own, which come from another version of it.
  const fetch = undiciFetch as unknown as (
    url: string | URL,
    init: Omit<RequestInit, 'dispatcher'> & { dispatcher: EnvHttpProxyAgent },
  ) => Promise<Response>;
  try {
    return await act((url, init) => fetch(url, { ...init, dispatcher }));
  } finally {
    void dispatcher.destroy();
  }
}

/** Null where none is set, or what is set is not an address: it could hold a password, so it is not quoted. */
function proxyOf(env: World['env']): string | null {
  const named = env.https_proxy || env.HTTPS_PROXY;
  return named && URL.canParse(named) && /^https?:$/.test(new URL(named).protocol) ? named : null;
}

/** Why no answer came, for a message: what is known of a proxy in between. */
export function byWayOf(url: string, env: World['env']): string {
  if (!url.startsWith('https:') || !(env.https_proxy || env.HTTPS_PROXY)) return '';
  return proxyOf(env) ? ' by way of the proxy of HTTPS_PROXY' : '; HTTPS_PROXY is not an address of a proxy';
}
