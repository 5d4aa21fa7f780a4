import type { Outcome } from '../config/schema.js';
import type { ErrorDocument, Fix } from '../fault.js';

export const CHECK_IDS = [
  'pbs.api',
  'pbs.access',
  'pbs.datastores',
  'pbs.tasks',
  'pbs.jobs',
  'pbs.apt',
  'pbs.disk',
  'pve.api',
  'pve.access',
  'pve.quorum',
  'pve.backups',
  'pve.schedule',
  'pve.patching',
  'guest.vm',
  'guest.agent',
  'guest.packages',
  'lock.available',
  'clock.skew',
  'policy.window',
] as const;
export type CheckId = (typeof CHECK_IDS)[number];

/** Findings of `verify` have ids of their own beside those of the checks. */
export type FindingId = CheckId | `verify.${string}`;

/** What a check found. `retryAfter`: ISO time at which a block is expected to be over. */
export interface Finding {
  readonly id: FindingId;
  readonly status: 'pass' | 'warn' | 'block' | 'skip';
  readonly summary: string;
  readonly detail: Readonly<Record<string, unknown>>;
  /** What helps; absent where no command does, and in journals of versions before this. */
  readonly fixes?: readonly Fix[] | undefined;
  readonly retryAfter: string | null;
}

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

/** When a phase was begun and ended (ISO 8601), and how. `endedAt` null: it never said. */
export interface PhaseTime {
  readonly phase: Phase;
  readonly begunAt: string;
  readonly endedAt: string | null;
  readonly status: 'intended' | 'done' | 'undone' | 'skipped' | 'failed';
}

export interface DatastoreState {
  readonly name: string;
  /** "ok", or what is wrong with it in the server's words. */
  readonly state: string;
  readonly total: number | null;
  readonly used: number | null;
  readonly available: number | null;
}

export interface HostState {
  readonly version: string;
  readonly kernel: string;
  readonly bootTime: string;
  readonly datastores: readonly DatastoreState[];
}

export interface PackageChanges {
  readonly upgraded: ReadonlyArray<{ readonly name: string; readonly from: string; readonly to: string }>;
  readonly installed: ReadonlyArray<{ readonly name: string; readonly to: string }>;
  readonly removed: ReadonlyArray<{ readonly name: string; readonly from: string }>;
  readonly held: readonly string[];
}

export interface RebootTimes {
  readonly count: number;
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
  /** Mode `check`: what a run would do, in its order, a line each; else empty. */
  readonly would: readonly string[];
  /** Mode `check`, where it is safe now: until when a run may begin; null where no end is in sight. */
  readonly safeUntil: string | null;
  readonly packages: PackageChanges;
  /** False where nobody has looked at the packages since they may have changed, or at the plan with mode `check`. */
  readonly packagesKnown: boolean;
  readonly checks: readonly Finding[];
  readonly reboot: RebootTimes | null;
  readonly leftBehind: { readonly fenced: readonly string[]; readonly locks: readonly string[] };
  readonly retryAfter: string | null;
  readonly postponements: { readonly count: number; readonly since: string | null };
  /** Things that went wrong without changing the outcome, such as a Slack post that failed. */
  readonly warnings: readonly string[];
  /** What was on the console of the VM when the run failed: a file in the folder of the run, or why there is none. */
  readonly screen: { readonly file: string | null; readonly why: string | null } | null;
  readonly error: ErrorDocument | null;
}

/** One host of `status --json`. What could not be asked is null, with the reason in `error`. */
export interface HostStatus {
  readonly host: string;
  readonly reachable: boolean;
  readonly version: string | null;
  readonly kernel: string | null;
  readonly uptimeSeconds: number | null;
  readonly updates: number | null;
  readonly datastores: readonly DatastoreState[];
  readonly tasks: ReadonlyArray<{ readonly upid: string; readonly type: string; readonly id: string | null }>;
  /**
   * Who holds the lock of a cluster that the host serves; `owner` null where the tag cannot be read. Null where
   * it is free, and on a host that is reachable with an `error`: where PVE did not tell.
   */
  readonly lock: {
    readonly cluster: string;
    readonly owner: string | null;
    readonly run: string | null;
    readonly expiresAt: string | null;
  } | null;
  /** Runs in a row that were postponed, and the checks that blocked the last of them; null where the journal cannot be read. */
  readonly postponed: {
    readonly count: number;
    readonly since: string | null;
    readonly checks: readonly string[];
  } | null;
  readonly error: ErrorDocument | null;
}
