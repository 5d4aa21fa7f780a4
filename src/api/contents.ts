import { createHash } from 'node:crypto';
import { z } from 'zod';
import * as answers from './pbs-answers.js';
import { at, type Request, type Server } from './request.js';
import type { StoreCalls } from './store-calls.js';

/** A snapshot: where it is, and when it was taken (epoch seconds). */
export interface SnapshotAt {
  readonly store: string;
  /** '' = the root namespace. */
  readonly ns: string;
  readonly type: string;
  readonly id: string;
  readonly time: number;
}

/** How a call about one datastore is to be sent. */
interface Sending {
  /** Longest time for it, milliseconds; default: `requestTimeout`. */
  readonly limitMs?: number;
}

/**
 * What is in the datastores of one PBS, by calls that touch them: one at a time, none sent again (store-calls.ts).
 * Every method throws Fault `pbs.datastore-hangs` for a datastore that hangs or is left alone since one does, and
 * ApiFault, also for what the token may not see: 403 for contents, 400 `ENOENT` for what is not there.
 */
export class Contents {
  readonly #server: Server;
  readonly #stores: StoreCalls;
  readonly #tasks: () => Promise<answers.PbsTask[]>;

  constructor(server: Server, stores: StoreCalls, tasks: () => Promise<answers.PbsTask[]>) {
    this.#server = server;
    this.#stores = stores;
    this.#tasks = tasks;
  }

  /** Sorted. One on which the token has no right is left out without a word. */
  async namespaces(store: string, sending: Sending = {}): Promise<string[]> {
    const found = await this.#ask(store, 'namespace', {}, z.array(answers.Namespace), sending);
    return found.map(({ ns }) => ns).sort();
  }

  /**
   * The groups of a namespace, without those below it; unsorted. A group whose owner or folder cannot be read is
   * left out without a word.
   */
  groups(store: string, ns: string, sending: Sending = {}): Promise<answers.Group[]> {
    return this.#ask(store, 'groups', below(ns), z.array(answers.Group), sending);
  }

  /** When each snapshot of one group was taken, the unfinished ones too. Epoch seconds. */
  async snapshotTimes({ store, ns, type, id }: Omit<SnapshotAt, 'time'>): Promise<number[]> {
    const group = { ...below(ns), 'backup-type': type, 'backup-id': id };
    const found = await this.#ask(store, 'snapshots', group, z.array(answers.Snapshot), {});
    return found.map(({ time }) => time);
  }

  /** Its files, by its manifest, whose checksum and form the server checks. */
  files(snapshot: SnapshotAt): Promise<answers.SnapshotFile[]> {
    return this.#ask(snapshot.store, 'files', named(snapshot), z.array(answers.SnapshotFile), {});
  }

  /** Needs Datastore.Read. */
  manifest(snapshot: SnapshotAt): Promise<answers.Manifest> {
    return this.#read(snapshot, 'download-decoded', 'index.json.blob', Json.pipe(answers.Manifest));
  }

  /** SHA-256 of a file as it lies on disk, which for a blob is the `csum` in the manifest. Needs Datastore.Read. */
  checksum(snapshot: SnapshotAt, file: string): Promise<string> {
    return this.#read(snapshot, 'download', file, Checksum);
  }

  #read<Answer>(snapshot: SnapshotAt, what: string, file: string, answer: z.ZodType<Answer>) {
    const parameters = { ...named(snapshot), 'file-name': file };
    const request = this.#request(snapshot.store, what, parameters, 'Datastore.Read');
    return this.#stores.about(snapshot.store, request, this.#tasks, (one) =>
      this.#server.askWhole({ ...one, bytes: true }, answer),
    );
  }

  #ask<Answer>(
    store: string,
    what: string,
    parameters: NonNullable<Request['parameters']>,
    answer: z.ZodType<Answer>,
    { limitMs }: Sending,
  ): Promise<Answer> {
    const request = this.#request(store, what, parameters, 'Datastore.Audit');
    const limited = limitMs === undefined ? request : { ...request, limitMs };
    return this.#stores.about(store, limited, this.#tasks, (one) => this.#server.ask(one, answer));
  }

  #request(store: string, what: string, parameters: NonNullable<Request['parameters']>, privilege: string) {
    const ns = typeof parameters.ns === 'string' ? `/${parameters.ns}` : '';
    return {
      method: 'GET',
      path: `${at`/admin/datastore/${store}`}/${what}`,
      parameters,
      needs: { privilege, path: `/datastore/${store}${ns}` },
    } as const;
  }
}

const below = (ns: string): { ns?: string } => (ns === '' ? {} : { ns });

const named = ({ ns, type, id, time }: SnapshotAt) => ({
  ...below(ns),
  'backup-type': type,
  'backup-id': id,
  'backup-time': time,
});

const Bytes = z.custom<Buffer>((value) => Buffer.isBuffer(value), 'expected a file');
const Checksum = Bytes.transform((bytes) => createHash('sha256').update(bytes).digest('hex'));
const Json = Bytes.transform((bytes, context): unknown => {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    context.addIssue('expected JSON');
    return z.NEVER;
  }
});
