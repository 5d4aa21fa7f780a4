import { homedir } from 'node:os';
import { join } from 'node:path';
import leven from 'leven';
import { EXIT, Fault } from '../fault.js';
import type { Config, HostConfig, Policy } from './schema.js';

/** A host and what the config says about it. */
export interface Target {
  readonly host: string;
  readonly config: HostConfig;
  /** With the overrides of the host. */
  readonly policy: Policy;
  readonly guest: { readonly cluster: string; readonly vmid: number } | null;
  /** The clusters whose locks a run takes, by name: those served, and that of the guest. */
  readonly clusters: readonly string[];
  readonly upgradeUnit: string | null;
  /** The other hosts of the config. */
  readonly others: ReadonlyArray<{ readonly host: string; readonly config: HostConfig }>;
}

/** @throws Fault `config.unknown-host` (exit 2) with the nearest known name */
export function targetOf(config: Config, host: string): Target {
  const found = Object.hasOwn(config.hosts, host) ? config.hosts[host] : undefined;
  if (!found) {
    const near = nearest(host, Object.keys(config.hosts));
    throw new Fault('config.unknown-host', `The config has no host "${host}".`, {
      hint: near ? `Did you mean "${near}"?` : `It has: ${Object.keys(config.hosts).join(', ') || 'none'}.`,
      exitCode: EXIT.usage,
    });
  }
  const overrides = Object.fromEntries(
    Object.entries(found.policy).filter(([, value]) => value !== undefined),
  );
  return {
    host,
    config: found,
    policy: { ...config.policy, ...overrides },
    guest: found.guest ?? null,
    clusters: [...new Set([...servedBy(found), ...(found.guest ? [found.guest.cluster] : [])])].sort(),
    upgradeUnit: found.upgrade.via === 'service' ? found.upgrade.unit : null,
    others: Object.entries(config.hosts).flatMap(([name, other]) =>
      name === host ? [] : [{ host: name, config: other }],
    ),
  };
}

export function servedBy(host: Pick<HostConfig, 'serves' | 'guest'>): readonly string[] {
  return host.serves ?? (host.guest ? [host.guest.cluster] : []);
}

/** The guest that carries a cluster's lock tag; null where the config names none. */
export function lockGuest(config: Config, cluster: string): number | null {
  const named = config.clusters[cluster]?.lock.vmid;
  if (named !== undefined) return named;
  return Object.values(config.hosts).find(({ guest }) => guest?.cluster === cluster)?.guest?.vmid ?? null;
}

/** True where the config leaves the lock carrier to the order of its hosts. */
export const carrierByOrder = (
  cluster: string,
  { store, vmid }: Config['clusters'][string]['lock'],
  hosts: readonly HostConfig[],
): boolean =>
  store === 'guest-tag' &&
  vmid === undefined &&
  hosts.filter(({ guest }) => guest?.cluster === cluster).length > 1;

export function stateDirOf(config: Config, env: Readonly<Record<string, string | undefined>>): string {
  if (config.stateDir) return config.stateDir;
  if (env.STATE_DIRECTORY) return env.STATE_DIRECTORY.split(':')[0] ?? env.STATE_DIRECTORY;
  return join(env.XDG_STATE_HOME || join(env.HOME || homedir(), '.local/state'), 'pbs-ctl');
}

/** The known word that is nearest to a misspelt one, or null when none is near. */
export function nearest(word: string, known: readonly string[]): string | null {
  const [best] = known
    .map((each) => ({ each, distance: leven(word.toLowerCase(), each.toLowerCase()) }))
    .sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(2, Math.floor(word.length / 3)) ? best.each : null;
}
