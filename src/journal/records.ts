import { z } from 'zod';
import { OUTCOMES } from '../config/schema.js';
import { type FindingId, PHASES } from './document.js';

const datastore = z.object({
  name: z.string(),
  state: z.string(),
  total: z.number().nullable(),
  used: z.number().nullable(),
  available: z.number().nullable(),
});
const hostState = z.object({
  version: z.string(),
  kernel: z.string(),
  bootTime: z.string(),
  datastores: z.array(datastore).readonly(),
});
const packages = z.object({
  upgraded: z.array(z.object({ name: z.string(), from: z.string(), to: z.string() })).readonly(),
  installed: z.array(z.object({ name: z.string(), to: z.string() })).readonly(),
  removed: z.array(z.object({ name: z.string(), from: z.string() })).readonly(),
  held: z.array(z.string()).readonly(),
});
/** What identifies a boot: its time by the server's own clocks, and the kernel's boot id where the agent gave it. */
const boot = z.object({
  bootTime: z.number(),
  bootId: z.string().nullable(),
  /** Right before the reboot was asked for; absent elsewhere, and in journals of versions before this. */
  uptimeSeconds: z.number().optional(),
});
export type Boot = z.output<typeof boot>;
const mount = z.object({ datastore: z.string(), path: z.string(), target: z.string(), source: z.string() });

/** What has to be as before when the host is back. */
export const baseline = z.object({
  state: hostState,
  boot,
  mounts: z.array(mount).readonly(),
  failedUnits: z.array(z.string()).readonly(),
  services: z.array(z.string()).readonly(),
  installed: z.record(z.string(), z.string()),
});
export type Baseline = z.output<typeof baseline>;

const finding = z.object({
  id: z.custom<FindingId>((value) => typeof value === 'string'),
  status: z.enum(['pass', 'warn', 'block', 'skip']),
  summary: z.string(),
  detail: z.record(z.string(), z.unknown()),
  fixes: z
    .array(z.object({ where: z.string(), commands: z.array(z.string()).readonly() }))
    .readonly()
    .optional(),
  retryAfter: z.string().nullable(),
});
const errorDocument = z.object({ code: z.string(), message: z.string(), hint: z.string().nullable() });

/** What can happen in a run. Each is one line of the journal, on disk before the next step. */
export const event = z.discriminatedUnion('type', [
  z.object({
    type: z.literal('started'),
    host: z.string(),
    mode: z.enum(['patch', 'check']),
    owesReboot: z.boolean(),
  }),
  z.object({ type: z.literal('resumed') }),
  z.object({
    type: z.literal('phase'),
    phase: z.enum(PHASES),
    status: z.enum(['intended', 'done', 'undone', 'skipped', 'failed']),
  }),
  z.object({ type: z.literal('checked'), findings: z.array(finding).readonly() }),
  z.object({ type: z.literal('baseline'), baseline }),
  z.object({ type: z.literal('locked'), cluster: z.string(), expiresAt: z.number() }),
  z.object({ type: z.literal('unlocked'), cluster: z.string() }),
  z.object({ type: z.literal('fence-intended'), datastore: z.string() }),
  z.object({ type: z.literal('fenced'), datastore: z.string() }),
  z.object({ type: z.literal('unfenced'), datastore: z.string() }),
  z.object({ type: z.literal('planned'), packages, planDigest: z.string() }),
  z.object({ type: z.literal('foreseen'), would: z.array(z.string()), safeUntil: z.string().nullable() }),
  z.object({ type: z.literal('upgrade-intended') }),
  /** It was never started after all. */
  z.object({ type: z.literal('upgrade-void') }),
  /** The task of PBS that runs the upgrade, where it goes through a unit of the administrator. */
  z.object({ type: z.literal('upgrade-task'), upid: z.string() }),
  z.object({ type: z.literal('upgraded'), packages }),
  z.object({
    type: z.literal('upgrade-failed'),
    exitCode: z.number(),
    /** What it had changed by then; absent in journals of versions before this. */
    packages: packages.optional(),
  }),
  z.object({ type: z.literal('reboot-intended'), boot }),
  z.object({ type: z.literal('went-down'), seenAt: z.string() }),
  z.object({ type: z.literal('rebooted'), boot }),
  z.object({ type: z.literal('after'), state: hostState }),
  z.object({ type: z.literal('warning'), text: z.string() }),
  /** What was on the console when the host did not come back as it should: a file, or why there is none. */
  z.object({ type: z.literal('screen'), file: z.string().nullable(), why: z.string().nullable() }),
  z.object({
    type: z.literal('ended'),
    outcome: z.enum(OUTCOMES),
    retryAfter: z.string().nullable(),
    error: errorDocument.nullable(),
    /** True where something was left behind, so that the next `patch` goes on with this run. */
    open: z.boolean(),
  }),
]);
export type RunEvent = z.output<typeof event>;

/** A line of the journal: version, moment, event. */
export const record = z.object({ v: z.literal(1), run: z.string(), at: z.string(), event });
export type RunRecord = z.output<typeof record>;
