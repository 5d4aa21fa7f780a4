import { z } from 'zod';
import { OUTCOMES } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import { PackageChanges } from '../guest/apt.js';
import { Finding, HostState, PHASES, Screen } from './document.js';
import { Inventory, StorageSeen } from './inventory.js';

/** What identifies a boot: its time by the server's clock, and the kernel's boot id where the agent reports it. */
const boot = z.object({
  bootTime: z.number(),
  bootId: z.string().nullable(),
  /** Right before the reboot was requested; absent elsewhere, and in journals of older versions. */
  uptimeSeconds: z.number().optional(),
});
export type Boot = z.output<typeof boot>;

/** Clocks are stepped at boot. Seconds. */
const STEPPED = 30;

/** By the kernel's boot ids where both are known. */
export function isOtherBoot(one: Boot, other: Boot): boolean {
  if (one.bootId !== null && other.bootId !== null) return one.bootId !== other.bootId;
  return Math.abs(one.bootTime - other.bootTime) > STEPPED;
}

const mount = z.object({ datastore: z.string(), path: z.string(), target: z.string(), source: z.string() });

/** What carries datastores. `health`: "ONLINE", "DEGRADED", … */
const pool = z.object({ name: z.string(), health: z.string() });
export type Pool = z.output<typeof pool>;

/** What `verify` compares with. */
const baseline = z.object({
  state: HostState,
  boot,
  mounts: z.array(mount).readonly(),
  failedUnits: z.array(z.string()).readonly(),
  services: z.array(z.string()).readonly(),
  installed: z.record(z.string(), z.string()),
  /** Absent in journals of older versions. */
  pools: z.array(pool).readonly().optional(),
  /** The kernel that was pinned; absent in journals of versions before this. */
  pinned: z.object({ kernel: z.string(), file: z.string() }).nullable().optional(),
  /** Volumes whose passphrase is asked for at the boot; absent where there are none, and in older journals. */
  passphrases: z.array(z.string()).readonly().optional(),
});
export type Baseline = z.output<typeof baseline>;

const Acceptance = z
  .object({ id: z.string(), reason: z.string(), said: z.array(z.string()).readonly() })
  .readonly();
export type Acceptance = z.output<typeof Acceptance>;

const errorDocument: z.ZodType<ErrorDocument> = z.object({
  code: z.string(),
  message: z.string(),
  hint: z.string().nullable(),
});

/** An event of a run: a line of the journal, on disk before the next step. */
const event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    host: z.string(),
    mode: z.enum(['patch', 'check']),
    owesReboot: z.boolean(),
    /** Fences of ended runs that are still up, and postponements in a row before; absent in journals before this. */
    inherits: z
      .array(z.object({ run: z.string(), datastore: z.string() }))
      .readonly()
      .optional(),
    postponed: z.object({ count: z.number(), since: z.string().nullable() }).optional(),
  }),
  z.object({ type: z.literal('resumed') }),
  z.object({
    type: z.literal('phase'),
    phase: z.enum(PHASES),
    status: z.enum(['intended', 'done', 'undone', 'skipped', 'failed']),
  }),
  z.object({ type: z.literal('checked'), findings: z.array(Finding).readonly() }),
  /** A person answers for a finding of `verify`. `said`: what it said when last reported; more of it blocks again. */
  Acceptance.unwrap().extend({ type: z.literal('accepted') }),
  z.object({ type: z.literal('baseline'), baseline }),
  z.object({
    type: z.literal('locked'),
    cluster: z.string(),
    expiresAt: z.number(),
    /** Runs whose expired locks were replaced; absent where there were none. */
    tookOver: z.array(z.string()).optional(),
  }),
  z.object({ type: z.literal('unlocked'), cluster: z.string() }),
  z.object({ type: z.literal('fence-intended'), datastore: z.string() }),
  z.object({ type: z.literal('fenced'), datastore: z.string() }),
  z.object({ type: z.literal('unfenced'), datastore: z.string() }),
  /** What was in the datastores once nothing used them, and which storages of PVE reached them. */
  z.object({
    type: z.literal('inventory'),
    inventory: Inventory,
    storages: z.array(StorageSeen).readonly(),
  }),
  /** The fence of a run whose lock was taken over: this run lifts it after its verification. */
  z.object({ type: z.literal('inherits'), run: z.string(), datastore: z.string() }),
  /** Fences of other runs that stood when this one had lifted its own. */
  z.object({
    type: z.literal('other-fences'),
    fences: z.array(z.object({ run: z.string(), datastore: z.string() })),
  }),
  z.object({
    type: z.literal('planned'),
    packages: PackageChanges,
    planDigest: z.string(),
    /** Why it needs `--plan`; absent in journals of versions before this. */
    approval: z.array(z.string()).optional(),
  }),
  z.object({
    type: z.literal('foreseen'),
    would: z.array(z.string()),
    safeUntil: z.string().nullable(),
    /** As of when the package lists are (ISO 8601). */
    updatesAsOf: z.string().nullable(),
  }),
  z.object({
    type: z.literal('upgrade-intended'),
    /** Before it, where the host told; absent in journals of versions before this, as is `since`. */
    boot: boot.nullable().optional(),
    /** Epoch seconds by the clock of the host: what came before belongs to earlier starts. */
    since: z.number().nullable().optional(),
  }),
  /** It turned out not to have started. */
  z.object({ type: z.literal('upgrade-void') }),
  /** With the service method: the task of PBS that runs the upgrade. */
  z.object({ type: z.literal('upgrade-task'), upid: z.string() }),
  z.object({ type: z.literal('upgraded'), packages: PackageChanges }),
  z.object({
    type: z.literal('upgrade-failed'),
    exitCode: z.number(),
    /** What it had changed by then; absent in journals of older versions. */
    packages: PackageChanges.optional(),
    /** All packages are in, but the boot loader could not be updated. */
    bootLoader: z.literal(true).optional(),
  }),
  z.object({ type: z.literal('reboot-intended'), boot }),
  z.object({ type: z.literal('went-down'), seenAt: z.string() }),
  z.object({ type: z.literal('rebooted'), boot }),
  /** The host has booted since its upgrade, and this run has not requested it. `owes`: why it needs another boot. */
  z.object({ type: z.literal('boot-found'), boot, owes: z.string().nullable() }),
  /** The machine is as it was before the run, as after a rollback to a snapshot: of what it changed nothing is left. */
  z.object({ type: z.literal('rolled-back') }),
  z.object({ type: z.literal('after'), state: HostState }),
  /** Lines of a server or of the guest that name the cause of a failure. */
  z.object({ type: z.literal('evidence'), lines: z.array(z.string()).readonly() }),
  z.object({ type: z.literal('warning'), text: z.string() }),
  /** This postponement was posted to Slack; the same reasons are not posted again for a while. */
  z.object({ type: z.literal('told'), reasons: z.string() }),
  Screen.unwrap().extend({ type: z.literal('screen') }),
  z.object({
    type: z.literal('ended'),
    outcome: z.enum(OUTCOMES),
    retryAfter: z.string().nullable(),
    error: errorDocument.nullable(),
    /** The next `patch` continues this run. */
    open: z.boolean(),
  }),
]);
export type RunEvent = z.output<typeof event>;

/** A line of the journal: version, moment, event. */
export const RunRecord = z.object({ v: z.literal(1), run: z.string(), at: z.string(), event });
export type RunRecord = z.output<typeof RunRecord>;
