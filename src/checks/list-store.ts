import type { Contents, SnapshotAt } from '../api/contents.js';
import { ApiFault } from '../api/failure.js';
import { errorDocument } from '../fault.js';
import { digestOf, type GroupLine, type NamespaceDigest, type NewestRead } from '../journal/inventory.js';
import { isoFromSeconds } from '../moment.js';
import { linesOf, namespaceOf } from '../rules/inventory.js';

export interface Listing {
  readonly namespaces: readonly NamespaceDigest[];
  /** Of all finished snapshots of the datastore; null where there is none. */
  readonly newest: SnapshotAt | null;
}

/** The first list may be of any length; what was counted once says how long it may take. */
const UNKNOWN_FACTOR = 4;
const PER_GROUP_MS = 20;

/** How long one list of a datastore may take, milliseconds: it opens the folder of every group. */
export const listLimit = (requestTimeoutMs: number, groupsSeen: number | null): number =>
  groupsSeen === null
    ? UNKNOWN_FACTOR * requestTimeoutMs
    : requestTimeoutMs + Math.max(groupsSeen * PER_GROUP_MS, requestTimeoutMs);

/**
 * Lists a datastore: its namespaces, then the groups of each, one call after the other.
 * @param each is told of every namespace, and gets its lines, which are not kept
 * @throws ApiFault, Fault `pbs.datastore-hangs`
 */
export async function listStore(
  contents: Pick<Contents, 'namespaces' | 'groups'>,
  store: string,
  {
    limitMs,
    each = () => {},
  }: {
    readonly limitMs: number;
    readonly each?: (found: NamespaceDigest, lines: readonly GroupLine[], of: number) => void;
  },
): Promise<Listing> {
  const names = await contents.namespaces(store, { limitMs });
  const namespaces: NamespaceDigest[] = [];
  let newest: SnapshotAt | null = null;
  for (const ns of names) {
    const groups = await contents.groups(store, ns, { limitMs });
    const lines = linesOf(groups);
    const found = namespaceOf(ns, lines);
    namespaces.push(found);
    each(found, lines, names.length);
    for (const { type, id, newest: time, files } of groups)
      if (files.length > 0 && time > (newest?.time ?? 0)) newest = { store, ns, type, id, time };
  }
  return { namespaces, newest };
}

const INDEX = 'index.json.blob';
/** A larger one is not read for this. */
const SMALL_BYTES = 4 * 1024 * 1024;

/**
 * Reads the manifest of a snapshot, and a small blob where that is wanted and the token may.
 * @returns `remarks`: what was wrong with it already
 */
export async function readNewest(
  contents: Pick<Contents, 'files' | 'manifest' | 'checksum'>,
  at: SnapshotAt,
  readsBlob: boolean,
): Promise<{ readonly newest: NewestRead; readonly remarks: readonly string[] }> {
  const known = { ns: at.ns, group: `${at.type}/${at.id}`, time: at.time };
  const name = snapshotWords(at.store, known);
  let manifest: string;
  try {
    manifest = await filesDigest(contents, at);
  } catch (error) {
    const why = `the manifest of ${name} cannot be read: ${errorDocument(error).message}`;
    return { newest: { ...known, manifest: null, blob: null, why }, remarks: [why] };
  }
  const unread = (why: string | null, remarks: readonly string[]) => ({
    newest: { ...known, manifest, blob: null, why },
    remarks,
  });
  if (!readsBlob) return unread(null, []);
  try {
    const { files, verified } = await contents.manifest(at);
    const remarks = verified === 'failed' ? [`the last verification of ${name} has failed`] : [];
    const small = files
      .filter((file) => file.name.endsWith('.blob') && file.size <= SMALL_BYTES)
      .toSorted((one, other) => one.size - other.size)[0];
    if (!small) return unread(null, remarks);
    const checksum = await contents.checksum(at, small.name);
    if (checksum === small.checksum)
      return { newest: { ...known, manifest, blob: { file: small.name, checksum }, why: null }, remarks };
    const why = `${small.name} of ${name} is not what its manifest says`;
    return unread(why, [...remarks, why]);
  } catch (error) {
    // Without Datastore.Read the manifest has to do.
    if (error instanceof ApiFault && error.status === 403) return unread(null, []);
    const why = `no blob of ${name} can be read: ${errorDocument(error).message}`;
    return unread(why, [why]);
  }
}

/**
 * Reads what was read before of a snapshot once more.
 * @returns what has changed, or why that cannot be said; null where nothing has
 */
export async function readAgain(
  contents: Pick<Contents, 'files' | 'checksum'>,
  store: string,
  before: NewestRead,
): Promise<string | null> {
  if (before.manifest === null) return null;
  const [type = '', id = ''] = before.group.split('/');
  const at = { store, ns: before.ns, type, id, time: before.time };
  const name = snapshotWords(store, before);
  try {
    if ((await filesDigest(contents, at)) !== before.manifest)
      return `the manifest of ${name} lists other files than before`;
  } catch (error) {
    return `the manifest of ${name} cannot be read any more: ${errorDocument(error).message}`;
  }
  if (before.blob === null) return null;
  const { file, checksum } = before.blob;
  try {
    if ((await contents.checksum(at, file)) === checksum) return null;
    return `${file} of ${name} is not what its manifest says any more`;
  } catch (error) {
    return `${file} of ${name} cannot be read any more: ${errorDocument(error).message}`;
  }
}

const snapshotWords = (store: string, { ns, group, time }: Pick<NewestRead, 'ns' | 'group' | 'time'>) =>
  `${group} ${isoFromSeconds(time)} in ${ns === '' ? store : `${store}, namespace ${ns}`}`;

/** Without the manifest itself, which verification rewrites. */
async function filesDigest(contents: Pick<Contents, 'files'>, at: SnapshotAt): Promise<string> {
  const files = await contents.files(at);
  return digestOf(
    files
      .filter(({ name }) => name !== INDEX)
      .map(({ name, size }) => [name, size])
      .sort(),
  );
}
