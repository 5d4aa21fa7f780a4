import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { EXIT, Fault } from '../fault.js';
import { type Config, config as schema } from './schema.js';
import { lockGuest, nearest, servedBy } from './target.js';

export interface LoadOptions {
  /** `--config`. */
  readonly path?: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
}

/**
 * Finds, reads and checks the config.
 * @throws Fault `config.missing` or `config.invalid` (exit 2); the latter names every problem at once
 */
export async function loadConfig(options: LoadOptions): Promise<{ path: string; config: Config }> {
  const path = findConfig(options);
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    throw new Fault('config.missing', `The config ${path} cannot be read: ${(error as Error).message}.`, {
      hint: 'Name one with --config, or try pbs-ctl demo, which needs none.',
      exitCode: EXIT.usage,
    });
  }
  return { path, config: parseConfig(text, path) };
}

function findConfig({ path, env, cwd }: LoadOptions): string {
  const named = path ?? env.PBS_CTL_CONFIG;
  if (named) return resolve(cwd, named);
  const places = [
    join(cwd, 'config.json'),
    join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'pbs-ctl/config.json'),
    '/etc/pbs-ctl/config.json',
  ];
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  throw new Fault('config.missing', `No config was found in ${places.join(', ')}.`, {
    hint: 'Name one with --config, or try pbs-ctl demo, which needs none.',
    exitCode: EXIT.usage,
  });
}

/** @throws Fault `config.invalid` */
export function parseConfig(text: string, path: string): Config {
  let raw: unknown;
  try {
    raw = JSON.parse(text);
  } catch (error) {
    throw invalid([`${path}: no valid JSON: ${(error as Error).message}${place(text, error as Error)}`]);
  }
  const parsed = schema.safeParse(raw);
  if (!parsed.success)
    throw invalid(
      parsed.error.issues.flatMap((issue) => describe(issue, raw)).map((line) => `${path}: ${line}`),
    );
  const problems = crossChecks(parsed.data);
  if (problems.length > 0) throw invalid(problems.map((line) => `${path}: ${line}`));
  return parsed.data;
}

function place(text: string, error: Error): string {
  const position = /position (\d+)/.exec(error.message)?.[1];
  if (position === undefined || /line \d+/.test(error.message)) return '';
  const before = text.slice(0, Number(position)).split('\n');
  return ` (line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1})`;
}

function describe(issue: z.core.$ZodIssue, raw: unknown): string[] {
  const where = issue.path.map(String).join('.') || '(top level)';
  if (issue.code === 'unrecognized_keys') {
    const known = knownKeys(issue.path);
    return issue.keys.map((key) => {
      const near = nearest(key, known);
      return `${where === '(top level)' ? '' : `${where}.`}${key}: unknown key${near ? `; did you mean "${near}"?` : ''}`;
    });
  }
  if (issue.code === 'invalid_union') {
    const nested = issue.errors.flat();
    const message = issue.message !== 'Invalid input' ? issue.message : (nested[0]?.message ?? issue.message);
    return [`${where}: ${found(issue.path, raw)}${message}`];
  }
  return [`${where}: ${found(issue.path, raw)}${issue.message}`];
}

/** What stands there; never under a key that holds secrets. */
function found(path: readonly PropertyKey[], raw: unknown): string {
  if (path.some((key) => key === 'secret' || key === 'webhook')) return '';
  const value = path.reduce<unknown>(
    (at, key) => (at as Record<PropertyKey, unknown> | undefined)?.[key],
    raw,
  );
  if (value === undefined) return '';
  const text = JSON.stringify(value) ?? String(value);
  return `found ${text.length > 60 ? `${text.slice(0, 57)}…` : text}; `;
}

/** Keys that the schema knows at a path; record keys and array indices are skipped over. */
function knownKeys(path: readonly PropertyKey[]): string[] {
  let at: unknown = schema;
  for (const key of path) at = step(unwrap(at), key);
  const shape = (unwrap(at) as { shape?: object } | undefined)?.shape;
  return shape ? Object.keys(shape) : [];
}

function unwrap(node: unknown): unknown {
  let at = node as { def?: { innerType?: unknown; in?: unknown } } | undefined;
  while (at?.def && (at.def.innerType ?? at.def.in)) at = (at.def.innerType ?? at.def.in) as typeof at;
  return at;
}

function step(node: unknown, key: PropertyKey): unknown {
  const { shape, valueType, element } = (node ?? {}) as {
    shape?: Record<PropertyKey, unknown>;
    valueType?: unknown;
    element?: unknown;
  };
  return shape?.[key] ?? valueType ?? element;
}

function crossChecks(config: Config): string[] {
  const problems: string[] = [];
  const clusters = Object.keys(config.clusters);
  const unknown = (name: string) => {
    const near = nearest(name, clusters);
    return `no cluster "${name}" is configured${near ? `; did you mean "${near}"?` : ` (there is: ${clusters.join(', ') || 'none'})`}`;
  };
  const guests = new Map<string, string>();
  for (const [name, host] of Object.entries(config.hosts)) {
    if (host.guest && !config.clusters[host.guest.cluster])
      problems.push(`hosts.${name}.guest.cluster: ${unknown(host.guest.cluster)}`);
    for (const [index, cluster] of (host.serves ?? []).entries()) {
      if (!config.clusters[cluster]) problems.push(`hosts.${name}.serves.${index}: ${unknown(cluster)}`);
    }
    if (!host.guest && host.upgrade.via === 'guest-agent') {
      problems.push(
        `hosts.${name}.guest: missing; the upgrade runs through the guest agent of the VM, so name its cluster and vmid`,
      );
    }
    if (!host.guest && servedBy(host).length === 0) {
      problems.push(
        `hosts.${name}.serves: missing; without a guest the clusters that back up to this host have to be named`,
      );
    }
    const guest = host.guest && `${host.guest.cluster}/${host.guest.vmid}`;
    const other = guest && guests.get(guest);
    if (other) problems.push(`hosts.${name}.guest: guest ${guest} is that of host "${other}" already`);
    else if (guest) guests.set(guest, name);
  }
  const used = new Set(
    Object.values(config.hosts).flatMap((host) => [
      ...servedBy(host),
      ...(host.guest ? [host.guest.cluster] : []),
    ]),
  );
  for (const cluster of clusters) {
    const anchored =
      config.clusters[cluster]?.lock.store === 'registered-tag' || lockGuest(config, cluster) !== null;
    if (!anchored && used.has(cluster)) {
      problems.push(
        `clusters.${cluster}.lock.vmid: missing; no host's guest is in this cluster, so no guest could carry the lock tag`,
      );
    }
  }
  return problems;
}

function invalid(lines: readonly string[]): Fault {
  return new Fault('config.invalid', lines.join('\n'), {
    hint: 'pbs-ctl schema prints what a config may hold; config.example.json is complete.',
    exitCode: EXIT.usage,
  });
}
