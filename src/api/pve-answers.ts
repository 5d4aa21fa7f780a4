import { z } from 'zod';
import { bool, flag, number, optional, text, textOrNumber } from './answer.js';
import { Tags } from './guest-answers.js';

// What is read of the answers of PVE, and nothing else. Perl writes booleans and numbers as it pleases.

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
  .transform((entries) => {
    const nodes = entries.flatMap((entry): PveNode[] =>
      entry.type === 'node' ? [{ name: entry.name, online: entry.online, local: entry.local }] : [],
    );
    return {
      quorate: entries.every((entry) => entry.type !== 'cluster' || entry.quorate),
      nodes,
      /** Names of the nodes that are online. */
      online: nodes.flatMap(({ name, online }) => (online ? [name] : [])),
    };
  });

export interface NodeOverview {
  readonly name: string;
  readonly status: string;
  /** Since PVE 8.3. */
  readonly haState: string | null;
  readonly uptimeSeconds: number | null;
}
export const NodesOverview = z.array(
  z.object({ node: text, status: text, hastate: optional(text), uptime: optional(number) }).transform(
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
