import { z } from 'zod';
import { bool, flag, number, optional, text, textOrNumber } from './answer.js';

const vmidList = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) =>
    String(value ?? '')
      .split(/[;,\s]+/)
      .filter((id) => /^\d+$/.test(id))
      .map(Number),
  );

export interface BackupJob {
  readonly id: string;
  readonly enabled: boolean;
  readonly schedule: string | null;
  /** null: the default of each node. */
  readonly storage: string | null;
  /** null: every node runs its own part. */
  readonly node: string | null;
  readonly vmids: number[];
  readonly all: boolean;
  readonly pool: string | null;
  readonly exclude: number[];
  /** Epoch seconds, in the time zone of the node that answered; told of disabled jobs, too. */
  readonly nextRun: number | null;
  readonly repeatMissed: boolean;
  readonly comment: string | null;
}
export const BackupJobs = z.array(
  z
    .object({
      id: text,
      enabled: bool.nullish(),
      schedule: optional(text),
      storage: optional(text),
      node: optional(text),
      vmid: vmidList,
      all: flag,
      pool: optional(text),
      exclude: vmidList,
      'next-run': optional(number),
      'repeat-missed': flag,
      comment: optional(textOrNumber),
    })
    .transform(
      ({ id, enabled, schedule, storage, node, vmid, all, pool, exclude, comment, ...rest }): BackupJob => ({
        id,
        enabled: enabled ?? true,
        schedule,
        storage,
        node,
        vmids: vmid,
        all,
        pool,
        exclude,
        nextRun: rest['next-run'],
        repeatMissed: rest['repeat-missed'],
        comment,
      }),
    ),
);
export const IncludedVolumes = z
  .object({ children: z.array(z.object({ id: number })) })
  .transform(({ children }) => children.map(({ id }) => id));
export const ScheduleRuns = z
  .array(z.object({ timestamp: number }))
  .transform((runs) => runs.map(({ timestamp }) => timestamp));

export interface PveStorage {
  readonly storage: string;
  readonly type: string;
  readonly server: string | null;
  readonly port: number;
  readonly datastore: string | null;
  readonly fingerprint: string | null;
  readonly disabled: boolean;
  /** null: all nodes. */
  readonly nodes: string[] | null;
}
const PBS_PORT = 8007;
export const Storages = z.array(
  z
    .object({
      storage: text,
      type: text,
      server: optional(text),
      port: optional(number),
      datastore: optional(text),
      fingerprint: optional(text),
      disable: flag,
      nodes: optional(text),
    })
    .transform(
      ({ disable, nodes, port, ...rest }): PveStorage => ({
        ...rest,
        port: port ?? PBS_PORT,
        disabled: disable,
        nodes: nodes?.split(/[;,\s]+/).filter((node) => node !== '') ?? null,
      }),
    ),
);
export const VzdumpDefaults = z.object({ storage: optional(text) }).transform(({ storage }) => storage);
