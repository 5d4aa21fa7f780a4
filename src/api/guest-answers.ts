import { z } from 'zod';
import { flag, number, optional, propertyString, text, textOrNumber } from './answer.js';

/** Tags come joined with ";", from older writers also with "," or blanks; an emptied list is one blank. */
export const Tags = z
  .string()
  .nullish()
  .transform((value) => (value ?? '').split(/[;,\s]+/).filter((tag) => tag !== ''));

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
  /** What it shows its screen on: `std`, `qxl`, `none`, `serial0` … Null: PVE's default. */
  readonly display: string | null;
  /** Serial ports that PVE can connect to: `serial0` … */
  readonly serialPorts: readonly string[];
}
export const GuestConfig = z
  .object({
    digest: text.min(1),
    tags: Tags,
    lock: optional(text),
    agent: optional(textOrNumber),
    protection: flag,
    vga: optional(text),
    serial0: optional(text),
    serial1: optional(text),
    serial2: optional(text),
    serial3: optional(text),
  })
  .transform(
    ({ digest, tags, lock, agent, protection, vga, ...rest }): GuestConfig => ({
      digest,
      tags,
      lock,
      agentEnabled: agent !== null && propertyString(agent, 'enabled').enabled === '1',
      agentConfigured: agent !== null,
      protection,
      display: vga === null ? null : (propertyString(vga, 'type').type ?? null),
      serialPorts: (['serial0', 'serial1', 'serial2', 'serial3'] as const).filter(
        (port) => rest[port] === 'socket',
      ),
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
