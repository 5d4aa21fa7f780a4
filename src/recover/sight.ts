import type { ErrorDocument } from '../fault.js';
import type { DatastoreState, Finding } from '../report/document.js';

/** What was seen of a host from outside in. A part is null where it was not asked; errors say why it could not be. */
export interface Sight {
  readonly host: string;
  readonly vm: {
    readonly vmid: number;
    readonly cluster: string;
    readonly node: string;
    readonly status: string;
    readonly qmpStatus: string | null;
    readonly lock: string | null;
    /** Where a person sees the screen of the VM. */
    readonly consoleUrl: string;
  } | null;
  readonly vmError: ErrorDocument | null;
  readonly agent: 'answers' | 'silent' | 'not-asked';
  readonly inside: {
    readonly kernel: string;
    readonly failedUnits: readonly string[];
    /** In fstab and not mounted. */
    readonly missingMounts: readonly string[];
    readonly audit: string;
    /** Last lines of the journals of PBS. */
    readonly journal: readonly string[];
  } | null;
  readonly proxy: 'answers' | 'silent';
  readonly daemon: 'answers' | 'silent';
  readonly apiError: ErrorDocument | null;
  readonly servicesDown: readonly string[];
  readonly datastores: readonly DatastoreState[];
  /** Datastores that a run of pbs-ctl has fenced, and which run. */
  readonly fences: ReadonlyArray<{ readonly datastore: string; readonly run: string }>;
  readonly locks: ReadonlyArray<{
    readonly cluster: string;
    readonly owner: string;
    readonly run: string;
    readonly expired: boolean;
  }>;
  /** Against the baseline of the last run; null where the host cannot be asked. */
  readonly verification: { readonly ok: boolean; readonly findings: readonly Finding[] } | null;
  /** A run of this state directory that waits to be gone on with. */
  readonly unfinishedRun: string | null;
}
