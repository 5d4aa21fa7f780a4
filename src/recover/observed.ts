import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import type { Symptoms } from '../guest/symptoms.js';
import type { DatastoreState, Finding } from '../journal/document.js';

/** What was seen of a host from outside in. A part is null where it was not asked; errors say why it could not be. */
export interface ObservedHost {
  readonly host: string;
  /** A process of this machine that works on the host right now. */
  readonly busy: { readonly pid: number } | null;
  readonly vm: ObservedVm | null;
  readonly vmError: ErrorDocument | null;
  /** `refuses`: it is there, and cannot or may not run a command. */
  readonly agent: 'answers' | 'refuses' | 'silent' | 'not-asked';
  readonly agentError: ErrorDocument | null;
  readonly inside: Symptoms | null;
  readonly proxy: 'answers' | 'refuses' | 'silent';
  readonly daemon: 'answers' | 'silent' | 'unknown';
  readonly apiError: ErrorDocument | null;
  /** Services that ran at the baseline, or are enabled, and do not run. */
  readonly servicesDown: readonly string[];
  readonly datastores: readonly DatastoreState[];
  /** Datastores that a run of pbs-ctl has fenced, and which run. */
  readonly fences: ReadonlyArray<{ readonly datastore: string; readonly run: string }>;
  /** Maintenance modes that another user has set. */
  readonly foreignModes: ReadonlyArray<{
    readonly datastore: string;
    readonly type: string;
    readonly message: string | null;
  }>;
  /** Locks that runs on this host hold. */
  readonly locks: readonly ObservedLock[];
  /** Locks that others hold, and tags that begin like a lock and cannot be read (owner null). */
  readonly foreignLocks: ReadonlyArray<{
    readonly cluster: string;
    readonly owner: string | null;
    readonly until: string | null;
  }>;
  /** Clusters whose lock could not be read: whether one is held there is not known. */
  readonly unknownLocks: ReadonlyArray<{ readonly cluster: string; readonly error: ErrorDocument }>;
  /** Runs that the fences and locks name, and the last run, by the journals here. */
  readonly runs: readonly ObservedRun[];
  /** Against the baseline of the last run; null where the host cannot be asked. */
  readonly verification: { readonly ok: boolean; readonly findings: readonly Finding[] } | null;
  /** A run of this state directory that waits to be continued. */
  readonly unfinishedRun: string | null;
}

export interface ObservedVm {
  readonly vmid: number;
  readonly cluster: string;
  readonly node: string;
  /** Null where the cluster does not say. */
  readonly nodeOnline: boolean | null;
  /** `unknown` where its node does not say. */
  readonly status: string;
  readonly qmpStatus: string | null;
  readonly lock: string | null;
  /** Where a person sees the screen of the VM, after logging in to PVE. */
  readonly consoleUrl: string;
}

export interface ObservedLock {
  readonly cluster: string;
  readonly owner: string;
  readonly run: string;
  readonly until: string;
  readonly expired: boolean;
}

/** A run by its journal; outcome null for one whose end is not recorded. */
export interface ObservedRun {
  readonly run: string;
  readonly outcome: Outcome | null;
  readonly phase: string;
  readonly startedAt: string;
  readonly lastAt: string;
  /** What it has put up and not taken back, as far as it knows. */
  readonly leftBehind: { readonly fenced: readonly string[]; readonly locks: readonly string[] };
  readonly error: ErrorDocument | null;
}
