import { z } from 'zod';
import { bool, flag, isOn, number, optional, propertyString, text, textOrNumber, wire } from './answer.js';

// What is read of the answers of PVE, and nothing else. Perl writes booleans and numbers as it pleases.
// Times are epoch seconds.

const listed = (value: string | null) => (value ?? '').split(/[;,\s]+/).filter((part) => part !== '');

/** Tags come joined with ";", from older writers also with "," or blanks; an emptied list is one blank. */
const Tags = optional(text).transform(listed);

export const Version = z
  .object({ version: textOrNumber })
  .transform(({ version }) => ({ version, major: Number.parseInt(version, 10) }));

const ClusterEntry = z.object({ type: z.literal('cluster'), quorate: bool, nodes: optional(number) });
/** `local`: the node that answered. */
const NodeEntry = z.object({
  type: z.literal('node'),
  name: text,
  online: flag,
  local: flag,
  ip: optional(text),
});
/** A node that is in no cluster has no entry of type "cluster" and is quorate by itself. */
export const ClusterStatus = z
  .array(z.discriminatedUnion('type', [ClusterEntry, NodeEntry]))
  .transform((entries) => {
    const nodes = entries.flatMap((entry) =>
      entry.type === 'node'
        ? [{ name: entry.name, online: entry.online, local: entry.local, address: entry.ip }]
        : [],
    );
    return {
      quorate: entries.every((entry) => entry.type !== 'cluster' || entry.quorate),
      nodes,
      /** How many the cluster itself counts; null where it does not say, as a node without a cluster. */
      counted:
        entries.flatMap((entry) => (entry.type === 'cluster' ? (entry.nodes ?? []) : [])).at(0) ?? null,
      /** Names of the nodes that are online. */
      online: nodes.flatMap(({ name, online }) => (online ? [name] : [])),
    };
  });
export type ClusterStatus = z.output<typeof ClusterStatus>;
export type PveNode = ClusterStatus['nodes'][number];

export type NodeOverview = z.output<typeof NodeOverview>;
export const NodeOverview = wire({
  name: ['node', text],
  status: text,
  /** Since PVE 8.3. */
  haState: ['hastate', optional(text)],
  uptimeSeconds: ['uptime', optional(number)],
});

/** `registered-tags`: a list when read, one text when written. */
export const Options = z
  .object({
    'registered-tags': z.union([z.array(text), Tags]),
    'user-tag-access': z
      .union([
        z.object({ 'user-allow': optional(text) }).transform((access) => access['user-allow']),
        z.string().transform((access) => propertyString(access, 'user-allow')['user-allow'] ?? null),
      ])
      .nullish(),
  })
  .transform((options) => ({
    registeredTags: options['registered-tags'],
    /** Which tags users who are not administrators may set: free, list, existing or none. */
    userTagAccess: options['user-tag-access'] ?? 'free',
  }));

/** `endedAt` and `status` are null while it runs. */
export type PveTask = z.output<typeof Task>;
export const Task = wire({
  upid: text,
  node: text,
  type: text,
  id: optional(textOrNumber).transform((id) => id ?? ''),
  user: text,
  startedAt: ['starttime', number],
  endedAt: ['endtime', optional(number)],
  status: optional(text).transform((status) => (status === 'RUNNING' ? null : status)),
});

const record = <Output>(schema: z.ZodType<Output>) =>
  optional(z.record(z.string(), schema)).transform((value) => value ?? {});
/** On a cluster that never used HA the maps are empty or missing. */
export const HaManagerStatus = z
  .object({
    manager_status: optional(
      z.object({
        node_status: record(text),
        node_request: record(
          z
            .object({ maintenance: optional(bool) })
            .transform(({ maintenance }): { maintenance?: boolean } =>
              maintenance === null ? {} : { maintenance },
            ),
        ),
      }),
    ),
    lrm_status: record(
      wire({
        mode: optional(text).transform((mode) => mode ?? 'unknown'),
        state: optional(text).transform((state) => state ?? 'unknown'),
        timestamp: optional(number).transform((timestamp) => timestamp ?? 0),
      }),
    ),
  })
  .transform(({ manager_status, lrm_status }) => ({
    nodeStatus: manager_status?.node_status ?? {},
    nodeRequest: manager_status?.node_request ?? {},
    lrm: lrm_status,
  }));
/** The state of the fencing; since PVE 9, null where it is not told. */
export const HaArmed = z
  .array(z.object({ type: text, 'armed-state': optional(text) }))
  .transform((entries) => entries.find(({ type }) => type === 'fencing')?.['armed-state'] ?? null);
export type HaManager = z.output<typeof HaManagerStatus> & { readonly armed: z.output<typeof HaArmed> };

/** `pveversion` reads "pve-manager/9.2.11/0123…". */
export type NodeStatus = z.output<typeof NodeStatus>;
export const NodeStatus = z
  .object({
    uptime: number,
    // PVE 8.0 has only `kversion`: "Linux 6.2.16-3-pve #1 SMP …".
    'current-kernel': optional(z.object({ release: text })),
    kversion: optional(text),
    pveversion: text,
  })
  .transform(({ uptime, pveversion, kversion, 'current-kernel': current }, context) => {
    const kernel = current?.release ?? /^Linux (\S+)/.exec(kversion ?? '')?.[1];
    if (kernel === undefined) {
      context.addIssue({ code: 'custom', path: ['current-kernel'], message: 'expected the running kernel' });
      return z.NEVER;
    }
    return { uptimeSeconds: uptime, kernel, version: pveversion.split('/')[1] ?? pveversion };
  });

export type NodePackage = z.output<typeof NodePackage>;
export const NodePackage = wire({
  name: ['Package', text],
  state: ['CurrentState', optional(text)],
  installed: ['OldVersion', optional(text)],
  /** What apt would install. */
  candidate: ['Version', optional(text)],
});

export type PveGuest = z.output<typeof Guest>;
export const Guest = wire({
  vmid: number,
  type: z.enum(['qemu', 'lxc']),
  node: text,
  name: optional(textOrNumber),
  /** "unknown" when its node has not reported for five minutes. */
  status: text,
  tags: Tags,
  lock: optional(text),
});

const SERIAL_PORTS = ['serial0', 'serial1', 'serial2', 'serial3'] as const;
export type GuestConfig = z.output<typeof GuestConfig>;
export const GuestConfig = z.preprocess(
  withDevices,
  wire({
    /** Of the whole config file: any change by any user makes it stale. */
    digest: text.min(1),
    tags: Tags,
    lock: optional(text),
    agent: optional(textOrNumber),
    protection: flag,
    /** What it shows its screen on: `std`, `qxl`, `none`, `serial0` … Null: PVE's default. */
    display: [
      'vga',
      optional(text).transform((vga) => (vga === null ? null : (propertyString(vga, 'type').type ?? null))),
    ],
    /** Absent: allowed. 0: QEMU ends where the guest reboots. */
    rebootAllowed: ['reboot', optional(bool).transform((allowed) => allowed ?? true)],
    startsWithNode: ['onboot', flag],
    boot: optional(text),
    /** Further arguments of QEMU. */
    args: optional(text),
    /** Drives and network cards, by their names. */
    devices: z.record(z.string(), z.string()),
    serial0: optional(text),
    serial1: optional(text),
    serial2: optional(text),
    serial3: optional(text),
  }).transform(({ agent, serial0, serial1, serial2, serial3, ...config }) => {
    const serials = { serial0, serial1, serial2, serial3 };
    return {
      ...config,
      /** The agent option is on. */
      agentEnabled: agent !== null && isOn(propertyString(agent, 'enabled').enabled ?? ''),
      /** There is an agent option at all; PVE reports the two cases differently. */
      agentConfigured: agent !== null,
      /** Those that PVE can connect to. */
      serialPorts: SERIAL_PORTS.filter((port) => serials[port] === 'socket') as readonly string[],
    };
  }),
);

function withDevices(raw: unknown): unknown {
  if (typeof raw !== 'object' || raw === null) return raw;
  const devices = Object.entries(raw).filter(
    ([name, value]) => /^(?:ide|sata|scsi|virtio|net)\d+$/.test(name) && typeof value === 'string',
  );
  return { ...raw, devices: Object.fromEntries(devices) };
}

export type GuestStatus = z.output<typeof GuestStatus>;
export const GuestStatus = wire({
  status: text,
  qmpStatus: ['qmpstatus', optional(text)],
  lock: optional(text),
  /** Age of the QEMU process: a reboot inside the guest does not change it. */
  uptimeSeconds: ['uptime', optional(number).transform((uptime) => uptime ?? 0)],
  haManaged: ['ha', optional(z.object({ managed: flag })).transform((ha) => ha?.managed ?? false)],
});

const vmids = optional(textOrNumber).transform((value) =>
  listed(value)
    .filter((id) => /^\d+$/.test(id))
    .map(Number),
);

export type BackupJob = z.output<typeof BackupJob>;
export const BackupJob = wire({
  id: text,
  enabled: z.preprocess((value) => value ?? true, bool),
  schedule: optional(text),
  /** null: the default of each node. */
  storage: optional(text),
  /** null: every node runs its own part. */
  node: optional(text),
  vmids: ['vmid', vmids],
  all: flag,
  pool: optional(text),
  exclude: vmids,
  /** In the time zone of the node that answered; told of disabled jobs, too. */
  nextRun: ['next-run', optional(number)],
  repeatMissed: ['repeat-missed', flag],
  comment: optional(textOrNumber),
});
export const IncludedVolumes = z
  .object({ children: z.array(z.object({ id: number })) })
  .transform(({ children }) => children.map(({ id }) => id));
export const ScheduleRuns = z
  .array(z.object({ timestamp: number }))
  .transform((runs) => runs.map(({ timestamp }) => timestamp));

const PBS_PORT = 8007;
export type PveStorage = z.output<typeof Storage>;
export const Storage = wire({
  storage: text,
  type: text,
  server: optional(text),
  port: optional(number).transform((port) => port ?? PBS_PORT),
  datastore: optional(text),
  fingerprint: optional(text),
  disabled: ['disable', flag],
  /** null: all nodes. */
  nodes: optional(text).transform((nodes) => (nodes === null ? null : listed(nodes))),
});
/** Of one node. */
export const StorageStatus = wire({ storage: text, active: flag });
export const VzdumpDefaults = z.object({ storage: optional(text) }).transform(({ storage }) => storage);
