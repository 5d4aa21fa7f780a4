import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';

/** A group as it is compared: `vm/101`, owner, number of snapshots, and when the newest was taken (epoch seconds). */
const groupLine = z.tuple([z.string(), z.string(), z.number(), z.number()]).readonly();
export type GroupLine = z.output<typeof groupLine>;

const namespace = z.object({
  ns: z.string(),
  groups: z.number(),
  snapshots: z.number(),
  /** Of its lines: equal where nothing differs. */
  digest: z.string(),
});
export type NamespaceDigest = z.output<typeof namespace>;

/** What was read of the newest finished snapshot of a datastore. */
const newest = z.object({
  ns: z.string(),
  /** `vm/101` */
  group: z.string(),
  time: z.number(),
  /** Digest of its list of files; null where it could not be read, and `why`. */
  manifest: z.string().nullable(),
  /** A small blob of it, with the SHA-256 that its manifest names and that it had; null where none was read. */
  blob: z.object({ file: z.string(), checksum: z.string() }).nullable(),
  why: z.string().nullable(),
});
export type NewestRead = z.output<typeof newest>;

const store = z.object({
  name: z.string(),
  /** Under the fence of the run, so that nothing may differ. */
  fenced: z.boolean(),
  /** An S3 store is listed from the cache of the host. */
  cached: z.boolean(),
  namespaces: z.array(namespace).readonly(),
  /** Null where there is no finished snapshot. */
  newest: newest.nullable(),
});
export type StoreInventory = z.output<typeof store>;

/** What was in the datastores after the drain and before the upgrade. */
export const Inventory = z.object({
  /** By the clock of the host, epoch seconds. */
  takenAt: z.number(),
  stores: z.array(store).readonly(),
});
export type Inventory = z.output<typeof Inventory>;

/** A storage of PVE that leads to this host, as one of its nodes saw it. `active` null: it could not be asked. */
export const StorageSeen = z.object({
  cluster: z.string(),
  storage: z.string(),
  node: z.string(),
  active: z.boolean().nullable(),
});
export type StorageSeen = z.output<typeof StorageSeen>;

export const digestOf = (lines: readonly unknown[]): string =>
  createHash('sha256').update(JSON.stringify(lines)).digest('hex');

/** The file of a run with the lists themselves, a line a namespace: looked into where a digest differs. */
export const LISTS = 'inventory.jsonl';
const listed = z.object({ digest: z.string(), lines: z.array(groupLine).readonly() });

/** A line of that file. */
export const listLine = (digest: string, lines: readonly GroupLine[]): string =>
  `${JSON.stringify({ digest, lines })}\n`;

/**
 * The lists of these digests, from the file of a run; without those that are not there or are not what they were.
 * @param folder of the run
 */
export function readLists(
  folder: string,
  digests: ReadonlySet<string>,
): ReadonlyMap<string, readonly GroupLine[]> {
  let text = '';
  try {
    text = readFileSync(join(folder, LISTS), 'utf8');
  } catch {
    return new Map();
  }
  const found = new Map<string, readonly GroupLine[]>();
  for (const line of text.split('\n')) {
    if (!digests.has(/^\{"digest":"(\w+)"/.exec(line)?.[1] ?? '')) continue;
    const read = listed.safeParse(parsed(line));
    if (read.success && digestOf(read.data.lines) === read.data.digest)
      found.set(read.data.digest, read.data.lines);
  }
  return found;
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return null;
  }
}
