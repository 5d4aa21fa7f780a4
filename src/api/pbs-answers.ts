import { z } from 'zod';
import { bool, flag, number, optional, propertyString, text, textOrNumber, wire } from './answer.js';

// What is read of the answers of PBS, and nothing else: unknown fields pass, a missing one is an error
// unless the server leaves it out on purpose. Times are epoch seconds, sizes bytes.

/** `read-only,message=…` or `type=read-only,message=…`; written back without "type=", message percent-encoded. */
export const Maintenance = text.transform((value): Maintenance => {
  const { type = '', message } = propertyString(value, 'type');
  return { type, message: message === undefined ? null : decoded(message.replace(/^"(.*)"$/s, '$1')) };
});
export interface Maintenance {
  readonly type: string;
  readonly message: string | null;
}

/** A comma would end the message: the server writes it back without quotes. */
export const maintenanceText = (type: string, message: string): string =>
  `type=${type},message=${message.replace(/[%,]/g, encodeURIComponent)}`;

function decoded(message: string): string {
  try {
    return decodeURIComponent(message);
  } catch {
    return message;
  }
}

/** Of the running proxy: `version` is major.minor, `release` the patch level. */
export const Version = wire({ version: textOrNumber, release: textOrNumber });

export const NodeStatus = wire({
  uptimeSeconds: ['uptime', number],
  kernel: ['current-kernel', z.object({ release: text }).transform(({ release }) => release)],
  root: wire({ total: number, used: number, available: ['avail', number] }),
  fingerprint: [
    'info',
    optional(z.object({ fingerprint: optional(text) })).transform((info) => info?.fingerprint ?? null),
  ],
});

/** Absent before PBS 3.3 and for stores that are not removable: null. */
const Mounted = optional(text).transform((status) =>
  status === null || status === 'nonremovable' ? null : status === 'mounted',
);

export type Datastore = z.output<typeof Datastore>;
export const Datastore = wire({
  name: ['store', text],
  maintenance: optional(Maintenance),
  /** null: not on a removable disk */
  mounted: ['mount-status', Mounted],
});

/** Sizes are null where the store is broken, offline or not mounted. */
export type DatastoreUsage = z.output<typeof DatastoreUsage>;
/** Neither sizes nor an error says nothing of a datastore, least of all that it is well. */
export const DatastoreUsage = wire({
  name: ['store', text],
  total: optional(number),
  used: optional(number),
  available: ['avail', optional(number)],
  error: optional(text),
  mounted: ['mount-status', Mounted],
}).transform((usage) =>
  usage.error === null && usage.total === null && usage.mounted !== false
    ? { ...usage, error: 'it reports neither sizes nor an error' }
    : usage,
);

/** Of a single datastore. */
export const StoreSizes = wire({ total: number, used: number, available: ['avail', number] });

/** The digest stands beside `data`. */
export type DatastoreConfigs = z.output<typeof DatastoreConfigs>;
export const DatastoreConfigs = wire({
  datastores: [
    'data',
    z
      .array(
        wire({
          name: text,
          /** Where it lies in the host. */
          path: text,
          maintenance: ['maintenance-mode', optional(Maintenance)],
          /** Its lists come from a cache of the host. */
          isS3: ['backend', optional(text).transform((backend) => /\btype=s3\b/.test(backend ?? ''))],
          device: ['backing-device', optional(text)],
        }).transform(({ device, path, ...config }) => ({
          ...config,
          // That of a removable one is relative to its device. @see upstream pbs-api-types, absolute_path()
          path: device === null ? path : `/mnt/datastore/${config.name}`,
        })),
      )
      .transform((list) => byName(list)),
  ],
  digest: text.min(1),
});

/** PBS lists datastores in another order at each call. */
export const byName = <Named extends { readonly name: string }>(list: Named[]): Named[] =>
  list.toSorted((one, other) => one.name.localeCompare(other.name));

export const Namespace = wire({ ns: text });

/** A group of snapshots. `newest`: epoch seconds; by version of an unfinished one, too, and 0 where there is none. */
export type Group = z.output<typeof Group>;
export const Group = wire({
  type: ['backup-type', text],
  id: ['backup-id', text],
  owner: optional(text),
  /** Unfinished snapshots count. */
  count: ['backup-count', number],
  newest: ['last-backup', number],
  /** None where the newest is unfinished. */
  files: z.array(text),
});

export const Snapshot = wire({ time: ['backup-time', number] });

export type SnapshotFile = z.output<typeof SnapshotFile>;
export const SnapshotFile = wire({ name: ['filename', text], size: optional(number) });

/** The file index.json.blob of a snapshot, which verification rewrites: its own state is in the unprotected part. */
export type Manifest = z.output<typeof Manifest>;
export const Manifest = wire({
  files: z.array(wire({ name: ['filename', text], size: number, checksum: ['csum', text] })),
  /** How the snapshot was verified last: "ok" or "failed"; null where it never was. */
  verified: [
    'unprotected',
    optional(z.object({ verify_state: optional(z.object({ state: text })) })).transform(
      (unprotected) => unprotected?.verify_state?.state ?? null,
    ),
  ],
});

export const ActiveOperations = wire({ read: number, write: number });

/** `endedAt` and `status` (the exit status) are null while it runs. */
export type PbsTask = z.output<typeof Task>;
export type PbsSync = z.output<typeof Sync>;
export type PbsRemote = z.output<typeof Remote>;
export const Task = wire({
  upid: text,
  type: ['worker_type', text],
  id: ['worker_id', optional(text)],
  user: text,
  startedAt: ['starttime', number],
  endedAt: ['endtime', optional(number)],
  status: optional(text),
});

interface LastRun {
  readonly upid: string | null;
  readonly endedAt: number | null;
  readonly state: string | null;
}

/** It runs: its last run has an UPID, but no end yet. */
const toldRunning = <Listed extends LastRun>({ upid, endedAt, state, ...job }: Listed) => ({
  ...job,
  running: upid !== null && endedAt === null && state === null,
});

/** What the job lists of all kinds have in common. */
export const Job = wire({
  id: text,
  store: text,
  schedule: optional(text),
  disabled: ['disable', flag],
  nextRun: ['next-run', optional(number)],
  upid: ['last-run-upid', optional(text)],
  endedAt: ['last-run-endtime', optional(number)],
  state: ['last-run-state', optional(text)],
}).transform(toldRunning);
/** Of a sync job; without a remote it syncs two datastores of the host. */
export const Sync = wire({
  id: text,
  store: text,
  remote: optional(text),
  schedule: optional(text),
  nextRun: ['next-run', optional(number)],
  upid: ['last-run-upid', optional(text)],
  endedAt: ['last-run-endtime', optional(number)],
  state: ['last-run-state', optional(text)],
}).transform(toldRunning);
/** Another PBS, as a host knows it. Without a port: 8007. */
export const Remote = wire({
  name: text,
  host: text,
  port: optional(number),
  fingerprint: optional(text),
});
/** One entry per store; whether it runs is not told in a way that can be relied on. */
export const GarbageCollection = wire({
  store: text,
  schedule: optional(text),
  nextRun: ['next-run', optional(number)],
});

/** `health`: "ONLINE", "DEGRADED", … */
export const ZfsPool = wire({ name: text, health: text });

export const Service = wire({ name: ['service', text], state: text, unitState: ['unit-state', text] });

/** Not installed is written as absent, "" or "unknown", by version. */
const PackageVersion = optional(text).transform((value) => (value === 'unknown' ? null : value));

export type PbsPackage = z.output<typeof Package>;
export const Package = wire({
  name: ['Package', text],
  installed: ['OldVersion', PackageVersion],
  /** What apt would install. */
  candidate: ['Version', PackageVersion],
  origin: ['Origin', PackageVersion],
  /** Such as "running kernel: …" */
  note: ['ExtraInfo', optional(text)],
});

const Repository = z.object({
  Enabled: bool,
  URIs: z.array(text),
  Suites: z.array(text),
  Components: z.array(text).nullish(),
});
export type Repositories = z.output<typeof Repositories>;
export const Repositories = wire({
  /** Files that could not be parsed. */
  errors: z.array(wire({ path: text, error: text })),
  warnings: [
    'infos',
    z
      .array(z.object({ path: text, kind: text, message: text }))
      .transform((infos) =>
        infos.filter(({ kind }) => kind === 'warning').map(({ path, message }) => `${path}: ${message}`),
      ),
  ],
  /** `enabled` null: not configured. */
  standard: ['standard-repos', z.array(wire({ handle: text, enabled: ['status', optional(bool)] }))],
  /** Every enabled repository, with the file that names it. */
  enabled: [
    'files',
    z.array(z.object({ path: text.nullish(), repositories: z.array(Repository) })).transform((files) =>
      files.flatMap(({ path, repositories }) =>
        repositories
          .filter(({ Enabled }) => Enabled)
          .flatMap(({ URIs, Components }) =>
            URIs.map((uri) => ({
              path: path ?? 'a file without a name',
              uri,
              components: Components ?? [],
            })),
          ),
      ),
    ),
  ],
});
