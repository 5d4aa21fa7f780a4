import type { Config } from './schema.js';

/**
 * Where what a config refers to stands in it. Kept beside its parts: whoever is handed a reference to a secret
 * can then say which key to correct without being handed key and file as well.
 */
const places = new WeakMap<object, string>();

/** For each secret and each CA file of a config that was read from this file. */
export function rememberPlaces({ clusters, hosts, notify }: Config, file: string): void {
  const remember = (part: object, key: string) => places.set(part, `${key} in ${file}`);
  for (const [kind, servers] of Object.entries({ clusters, hosts })) {
    for (const [name, { secret, tls }] of Object.entries(servers)) {
      remember(secret, `${kind}.${name}.secret`);
      if (tls.caFile !== undefined) remember(tls, `${kind}.${name}.tls.caFile`);
    }
  }
  if (notify.slack) remember(notify.slack.webhook, 'notify.slack.webhook');
  if (notify.webhook) remember(notify.webhook.secret, 'notify.webhook.secret');
}

/** `hosts.pbs01.secret in /etc/pbs-ctl/config.json`; null for what comes from no config file. */
export const placeOf = (part: object): string | null => places.get(part) ?? null;
