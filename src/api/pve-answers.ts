import { z } from 'zod';
import { bool, flag, number, optional, propertyString, text, textOrNumber } from './answer.js';

// What is read of the answers of PVE, and nothing else. Perl writes booleans and numbers as it pleases.

export { LogLines, Nothing, Permissions, TaskStatus, Time, Upid } from './pbs-answers.js';

/** Tags come joined with ";", from older writers also with "," or blanks; an emptied list is one blank. */
export const Tags = z
  .string()
  .nullish()
  .transform((value) => (value ?? '').split(/[;,\s]+/).filter((tag) => tag !== ''));

const vmidList = z
  .union([z.string(), z.number()])
  .nullish()
  .transform((value) =>
    String(value ?? '')
      .split(/[;,\s]+/)
      .filter((id) => /^\d+$/.test(id))
      .map(Number),
  );

export const Version = z.object({ version: textOrNumber }).transform(({ version }) => ({
  version,
  major: Number.parseInt(version, 10),
}));

export interface PveNode {
  readonly name: string;
  readonly online: boolean;
  /** The node that answered. */
  readonly local: boolean;
}
const ClusterEntry = z.object({ type: z.literal('cluster'), quorate: bool });
const NodeEntry = z.object({ type: z.literal('node'), name: text, online: flag, local: flag });
/** A node that is in no cluster has no entry of type "cluster" and is quorate by itself. */
export const ClusterStatus = z
  .array(z.discriminatedUnion('type', [ClusterEntry, NodeEntry]))
  .transform((entries) => ({
    quorate: entries.every((entry) => entry.type !== 'cluster' || entry.quorate),
    nodes: entries.flatMap((entry): PveNode[] =>
      entry.type === 'node' ? [{ name: entry.name, online: entry.online, local: entry.local }] : [],
    ),
  }));

export interface PveGuest {
  readonly vmid: number;
  readonly type: 'qemu' | 'lxc';
  readonly node: string;
  readonly name: string | null;
  /** "unknown" when its node has not reported for five minutes. */
  readonly status: string;
  readonly tags: string[];
  readonly lock: string | null;
}
export const Guests = z.array(
  z.object({
    vmid: number,
    type: z.enum(['qemu', 'lxc']),
    node: text,
    name: optional(textOrNumber),
    status: text,
    tags: Tags,
    lock: optional(text),
  }),
) satisfies z.ZodType<PveGuest[]>;

export interface NodeOverview {
  readonly name: string;
  readonly status: string;
  /** Since PVE 8.3. */
  readonly haState: string | null;
  readonly uptimeSeconds: number | null;
}
export const NodesOverview = z.array(
  z
    .object({ node: text, status: text, hastate: optional(text), uptime: optional(number) })
    .transform(
      ({ node, status, hastate, uptime }): NodeOverview => ({
        name: node,
        status,
        haState: hastate,
        uptimeSeconds: uptime,
      }),
    ),
);

/** `registered-tags`: a list when read, one text when written. */
export const Options = z
  .object({ 'registered-tags': z.union([z.array(text), Tags]) })
  .transform((options) => options['registered-tags']);

/** Times in epoch seconds; `endedAt` and `status` null while it runs. */
export interface PveTask {
  readonly upid: string;
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly status: string | null;
}
export const Tasks = z.array(
  z
    .object({
      upid: text,
      node: text,
      type: text,
      id: z.union([z.string(), z.number()]).nullish(),
      user: text,
      starttime: number,
      endtime: optional(number),
      status: optional(text),
    })
    .transform(
      ({ upid, node, type, id, user, starttime, endtime, status }): PveTask => ({
        upid,
        node,
        type,
        id: String(id ?? ''),
        user,
        startedAt: starttime,
        endedAt: endtime,
        status: status === 'RUNNING' ? null : status,
      }),
    ),
);

export interface HaManager {
  readonly nodeStatus: Record<string, string>;
  readonly nodeRequest: Record<string, { maintenance?: boolean }>;
  readonly lrm: Record<string, { mode: string; state: string; timestamp: number }>;
  /** Since PVE 9; null where it is not told. */
  readonly armed: string | null;
}
const record = <Output>(schema: z.ZodType<Output>) =>
  optional(z.record(z.string(), schema)).transform((value) => value ?? {});
/** On a cluster that never used HA the maps are empty or missing. */
export const HaManagerStatus = z
  .object({
    manager_status: optional(
      z.object({
        node_status: record(text),
        node_request: record(z.object({ maintenance: optional(bool) })),
      }),
    ),
    lrm_status: record(
      z.object({ mode: optional(text), state: optional(text), timestamp: optional(number) }),
    ),
  })
  .transform(
    ({ manager_status, lrm_status }): Omit<HaManager, 'armed'> => ({
      nodeStatus: manager_status?.node_status ?? {},
      nodeRequest: Object.fromEntries(
        Object.entries(manager_status?.node_request ?? {}).map(([node, { maintenance }]) => [
          node,
          maintenance === null ? {} : { maintenance },
        ]),
      ),
      lrm: Object.fromEntries(
        Object.entries(lrm_status).map(([node, { mode, state, timestamp }]) => [
          node,
          { mode: mode ?? 'unknown', state: state ?? 'unknown', timestamp: timestamp ?? 0 },
        ]),
      ),
    }),
  );
export const HaStatus = z
  .array(z.object({ type: text, 'armed-state': optional(text) }))
  .transform((entries) => entries.find(({ type }) => type === 'fencing')?.['armed-state'] ?? null);

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

/** `pveversion` reads "pve-manager/9.2.11/0123…". */
export const NodeStatus = z
  .object({ uptime: number, 'current-kernel': z.object({ release: text }), pveversion: text })
  .transform(({ uptime, pveversion, ...rest }) => ({
    uptimeSeconds: uptime,
    kernel: rest['current-kernel'].release,
    version: pveversion.split('/')[1] ?? pveversion,
  }));

/** `OldVersion` is what is installed, `Version` what apt would install. */
export const NodePackages = z.array(
  z
    .object({
      Package: text,
      CurrentState: optional(text),
      OldVersion: optional(text),
      Version: optional(text),
    })
    .transform((each) => ({
      name: each.Package,
      state: each.CurrentState,
      installed: each.OldVersion,
      candidate: each.Version,
    })),
);

export interface GuestConfig {
  /** Of the whole config file: any change by anybody makes it stale. */
  readonly digest: string;
  readonly tags: string[];
  readonly lock: string | null;
  /** The agent option is on. */
  readonly agentEnabled: boolean;
  /** There is an agent option at all; PVE reports the two cases differently. */
  readonly agentConfigured: boolean;
  readonly protection: boolean;
}
export const GuestConfig = z
  .object({
    digest: text.min(1),
    tags: Tags,
    lock: optional(text),
    agent: optional(textOrNumber),
    protection: flag,
  })
  .transform(
    ({ digest, tags, lock, agent, protection }): GuestConfig => ({
      digest,
      tags,
      lock,
      agentEnabled: agent !== null && propertyString(agent, 'enabled').enabled === '1',
      agentConfigured: agent !== null,
      protection,
    }),
  );

/** `uptime` is the age of the QEMU process: a reboot inside the guest does not change it. */
export const GuestStatus = z
  .object({
    status: text,
    qmpstatus: optional(text),
    lock: optional(text),
    uptime: optional(number),
    ha: optional(z.object({ managed: flag })),
  })
  .transform(({ status, qmpstatus, lock, uptime, ha }) => ({
    status,
    qmpStatus: qmpstatus,
    lock,
    uptimeSeconds: uptime ?? 0,
    haManaged: ha?.managed ?? false,
  }));
