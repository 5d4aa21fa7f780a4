import { z } from 'zod';
import type { Outcome } from '../config/schema.js';
import type { ErrorDocument, Fix } from '../fault.js';
import type { PackageChanges } from '../guest/apt.js';

/** The id of a check, or one of `verify`; a journal may name checks of other versions. */
export type FindingId = `${string}.${string}`;

const fix: z.ZodType<Fix> = z.object({ where: z.string(), commands: z.array(z.string()).readonly() });

/** What a check found. `retryAfter`: ISO time at which a block is expected to be over. */
export const Finding = z
  .object({
    id: z.custom<FindingId>((value) => typeof value === 'string'),
    status: z.enum(['pass', 'warn', 'block', 'skip']),
    summary: z.string(),
    detail: z.record(z.string(), z.unknown()).readonly(),
    /** Absent where no command helps, and in journals of older versions. */
    fixes: z.array(fix).readonly().optional(),
    /**
     * Of a block of `verify`: what it says, item by item, which a person may answer for with `--accept`. Absent where
     * no one may: something is missing, or could not be determined.
     */
    acceptable: z.array(z.string()).readonly().optional(),
    retryAfter: z.string().nullable(),
  })
  .readonly();
export type Finding = z.output<typeof Finding>;

export const PHASES = [
  'preflight',
  'lock',
  'recheck',
  'fence',
  'drain',
  'refresh',
  'upgrade',
  'reboot',
  'wait',
  'verify',
  'unfence',
  'unlock',
  'report',
] as const;
export type Phase = (typeof PHASES)[number];

/** Times in ISO 8601. `endedAt` is null where the end is not recorded. */
export interface PhaseTime {
  readonly phase: Phase;
  readonly begunAt: string;
  readonly endedAt: string | null;
  readonly status: 'intended' | 'done' | 'undone' | 'skipped' | 'failed';
}

/** `state`: "ok", or what is wrong in the server's words. */
const DatastoreState = z
  .object({
    name: z.string(),
    state: z.string(),
    total: z.number().nullable(),
    used: z.number().nullable(),
    available: z.number().nullable(),
  })
  .readonly();
export type DatastoreState = z.output<typeof DatastoreState>;

export const HostState = z
  .object({
    version: z.string(),
    kernel: z.string(),
    bootTime: z.string(),
    datastores: z.array(DatastoreState).readonly(),
  })
  .readonly();
export type HostState = z.output<typeof HostState>;

/** A file with the console of the VM when the run failed, or why there is none. */
export const Screen = z.object({ file: z.string().nullable(), why: z.string().nullable() }).readonly();

/** What was in the datastores before the upgrade, and whether it still is. */
interface InventoryResult {
  readonly datastores: number;
  readonly groups: number;
  readonly snapshots: number;
  /** Null where it was not compared. */
  readonly equal: boolean | null;
  /** Each in words; of the last comparison. */
  readonly differences: readonly string[];
}

interface RebootTimes {
  readonly count: number;
  /** Another has booted the host; `requestedAt` is then when it booted. Absent where the run requested it. */
  readonly byOther?: true;
  readonly requestedAt: string;
  readonly downAt: string | null;
  readonly upAt: string | null;
}

/** `patch --json`: what a run did, schema version 1. Times ISO 8601 in UTC, sizes in bytes. */
export interface RunDocument {
  readonly schemaVersion: 1;
  readonly runId: string;
  readonly host: string;
  readonly mode: 'patch' | 'check';
  readonly outcome: Outcome;
  readonly phase: Phase;
  readonly startedAt: string;
  readonly finishedAt: string;
  readonly resumed: boolean;
  readonly before: HostState | null;
  readonly after: HostState | null;
  readonly planDigest: string | null;
  /** Why this plan needs `--plan`; empty where it does not. */
  readonly approval: readonly string[];
  /** Mode `check`: what a run would do, in order; else empty. */
  readonly would: readonly string[];
  /** Mode `check`, where it is safe now: until when a run may begin; null if there is no limit. */
  readonly safeUntil: string | null;
  /** Mode `check`: as of when the package lists are; null if that is not known. A run refreshes them. */
  readonly updatesAsOf: string | null;
  readonly packages: PackageChanges;
  /** False where the packages may have changed since they were last read, or there is no plan in mode `check`. */
  readonly packagesKnown: boolean;
  readonly checks: readonly Finding[];
  readonly reboot: RebootTimes | null;
  /** Null where none was taken. */
  readonly inventory: InventoryResult | null;
  readonly leftBehind: {
    readonly fenced: readonly string[];
    readonly locks: readonly string[];
    /** Those of `fenced` that are fences of other runs; absent where none is. */
    readonly otherRuns?: ReadonlyArray<{ readonly run: string; readonly datastore: string }>;
  };
  readonly retryAfter: string | null;
  readonly postponements: { readonly count: number; readonly since: string | null };
  /** Lines of a server or of the guest that name the cause of a failure; at most 12. */
  readonly evidence: readonly string[];
  /** Findings of `verify` that a person answers for, in this run only. */
  readonly accepted: ReadonlyArray<{ readonly id: string; readonly reason: string }>;
  /** Failures that did not change the outcome, such as a failed Slack post. */
  readonly warnings: readonly string[];
  readonly screen: z.output<typeof Screen> | null;
  readonly error: ErrorDocument | null;
}
