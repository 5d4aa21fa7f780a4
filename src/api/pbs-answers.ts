import { z } from 'zod';
import { flag, number, optional, propertyString, text, textOrNumber } from './answer.js';

// What is read of the answers of PBS, and nothing else: unknown fields pass, a missing one is an error
// unless the server leaves it out on purpose.

export interface Maintenance {
  readonly type: string;
  readonly message: string | null;
}

/** `read-only,message=…` or `type=read-only,message=…`; written back without "type=", message percent-encoded. */
export const Maintenance = text.transform((value): Maintenance => {
  const { type = '', message } = propertyString(value, 'type');
  return { type, message: message === undefined ? null : decoded(message.replace(/^"(.*)"$/s, '$1')) };
});

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

export const Version = z.object({ version: textOrNumber, release: textOrNumber });

export const NodeStatus = z
  .object({
    uptime: number,
    'current-kernel': z.object({ release: text }),
    root: z.object({ total: number, used: number, avail: number }),
    info: optional(z.object({ fingerprint: optional(text) })),
  })
  .transform(({ uptime, root, info, ...rest }) => ({
    uptimeSeconds: uptime,
    kernel: rest['current-kernel'].release,
    root: { total: root.total, used: root.used, available: root.avail },
    fingerprint: info?.fingerprint ?? null,
  }));

/** Absent before PBS 3.3 and for stores that are not removable: null. */
const MountStatus = optional(text).transform((status) =>
  status === null || status === 'nonremovable' ? null : status === 'mounted',
);

export interface Datastore {
  readonly name: string;
  readonly maintenance: Maintenance | null;
  /** null: not on a removable disk */
  readonly mounted: boolean | null;
}
export const Datastores = z.array(
  z.object({ store: text, maintenance: optional(Maintenance), 'mount-status': MountStatus }).transform(
    ({ store, maintenance, ...rest }): Datastore => ({
      name: store,
      maintenance,
      mounted: rest['mount-status'],
    }),
  ),
);

/** Sizes in bytes; null where the store is broken, offline or not mounted. */
export interface DatastoreUsage {
  readonly name: string;
  readonly total: number | null;
  readonly used: number | null;
  readonly available: number | null;
  readonly error: string | null;
  readonly mounted: boolean | null;
}
export const DatastoreUsages = z.array(
  z
    .object({
      store: text,
      total: optional(number),
      used: optional(number),
      avail: optional(number),
      error: optional(text),
      'mount-status': MountStatus,
    })
    .transform(
      ({ store, total, used, avail, error, ...rest }): DatastoreUsage => ({
        name: store,
        total,
        used,
        available: avail,
        error,
        mounted: rest['mount-status'],
      }),
    ),
);

/** `path`: where it lies in the host. */
export interface DatastoreConfig {
  readonly name: string;
  readonly path: string;
  readonly maintenance: Maintenance | null;
}

/** The digest stands beside `data`. */
export const DatastoreConfigs = z
  .object({
    data: z.array(
      z.object({ name: text, path: text, 'maintenance-mode': optional(Maintenance) }).transform(
        ({ name, path, ...rest }): DatastoreConfig => ({
          name,
          path,
          maintenance: rest['maintenance-mode'],
        }),
      ),
    ),
    digest: text.min(1),
  })
  .transform(({ data, digest }): DatastoreConfigs => ({ datastores: data, digest }));

export interface DatastoreConfigs {
  readonly datastores: readonly DatastoreConfig[];
  readonly digest: string;
}

export const ActiveOperations = z.object({ read: number, write: number });

/** Times in epoch seconds; `endedAt` and `status` (the exit status) null while it runs. */
export interface PbsTask {
  readonly upid: string;
  readonly type: string;
  readonly id: string | null;
  readonly user: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: string | null;
}
export const Tasks = z.array(
  z
    .object({
      upid: text,
      worker_type: text,
      worker_id: optional(text),
      user: text,
      starttime: number,
      endtime: optional(number),
      status: optional(text),
    })
    .transform(
      (task): PbsTask => ({
        upid: task.upid,
        type: task.worker_type,
        id: task.worker_id,
        user: task.user,
        startedAt: task.starttime,
        endedAt: task.endtime,
        status: task.status,
      }),
    ),
);

/** What the job lists of all kinds have in common. Running: an UPID, but no end yet. */
export const Jobs = z.array(
  z
    .object({
      id: text,
      store: text,
      schedule: optional(text),
      disable: flag,
      'next-run': optional(number),
      'last-run-upid': optional(text),
      'last-run-endtime': optional(number),
      'last-run-state': optional(text),
    })
    .transform((job) => ({
      id: job.id,
      store: job.store,
      schedule: job.schedule,
      disabled: job.disable,
      nextRun: job['next-run'],
      running:
        job['last-run-upid'] !== null && job['last-run-endtime'] === null && job['last-run-state'] === null,
    })),
);
/** One entry per store; whether it runs is not told in a way that can be relied on. */
export const GarbageCollections = z.array(
  z.object({ store: text, schedule: optional(text), 'next-run': optional(number) }),
);

export const Services = z.array(
  z
    .object({ service: text, state: text, 'unit-state': text })
    .transform((each) => ({ name: each.service, state: each.state, unitState: each['unit-state'] })),
);
