import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import type { Inside } from '../guest/inside.js';
import type { DatastoreState, Finding, Phase } from '../journal/document.js';
import type { Changed } from '../rules/changed-by-run.js';
import type { Resumption } from '../rules/resume.js';
import type { vmTroubles } from '../rules/vm-return.js';

/** What was seen of a host, from outside in. A part that was not asked is null; errors say why it could not be. */
export interface ObservedHost {
  readonly host: string;
  /** A process of this machine that is working on the host. */
  readonly busy: {
    readonly pid: number;
    /** The run at work and its phase; null where no journal here has one, as of a look. */
    readonly run: string | null;
    readonly phase: Phase | null;
    /** How long that phase lasts at most, milliseconds. */
    readonly longestMs: number | null;
  } | null;
  readonly vm: ObservedVm | null;
  readonly vmError: ErrorDocument | null;
  /** `refuses`: it answers, but cannot or may not run a command. */
  readonly agent: 'answers' | 'refuses' | 'silent' | 'not-asked';
  readonly agentError: ErrorDocument | null;
  readonly inside: Inside | null;
  readonly proxy: 'answers' | 'refuses' | 'silent';
  readonly daemon: 'answers' | 'silent' | 'unknown';
  readonly apiError: ErrorDocument | null;
  /** Services that ran at the baseline, or are enabled, but do not run. */
  readonly servicesDown: readonly string[];
  readonly datastores: readonly DatastoreState[];
  /** Datastore and its folder: as PBS reports it, else as it was before the last run. */
  readonly stores: ReadonlyArray<readonly [name: string, path: string]>;
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
  /** The last run, and those that fences and locks name, by the journals here. */
  readonly runs: readonly ObservedRun[];
  /** Against the baseline of the last run; null where the host does not answer. */
  /** Volumes whose passphrase the reboot of an unfinished run asks for at its console. */
  readonly passphrases?: readonly string[];
  /** It is up without the address of its endpoint: what it has instead. */
  readonly addressGone?: string | null;
  readonly verification: { readonly ok: boolean; readonly findings: readonly Finding[] } | null;
  /** A run of this state directory that can be continued. */
  readonly unfinishedRun: string | null;
  /** Whether the next `patch` ends that run well; null where there is none. */
  readonly resumption: Resumption | null;
  /** What the last run has changed on the host. */
  readonly changed: Changed;
}

export interface ObservedVm {
  readonly vmid: number;
  readonly cluster: string;
  readonly node: string;
  /** Null where the cluster does not say. */
  readonly nodeOnline: boolean | null;
  /** Why that is not known. */
  readonly nodeError: ErrorDocument | null;
  /** `unknown` where its node does not say. */
  readonly status: string;
  readonly qmpStatus: string | null;
  readonly lock: string | null;
  readonly consoleUrl: string;
  /** What of its config keeps a reboot inside it from coming back. */
  readonly troubles?: ReturnType<typeof vmTroubles>;
}

export interface ObservedLock {
  readonly cluster: string;
  readonly owner: string;
  readonly run: string;
  readonly until: string;
  readonly expired: boolean;
}

/** `outcome` is null where its end is not recorded. */
export interface ObservedRun {
  readonly run: string;
  readonly outcome: Outcome | null;
  readonly phase: string;
  readonly startedAt: string;
  readonly lastAt: string;
  readonly leftBehind: { readonly fenced: readonly string[]; readonly locks: readonly string[] };
  readonly error: ErrorDocument | null;
  /** Lines of a server or of the guest that name the cause. */
  readonly evidence: readonly string[];
}
