import type { Outcome } from '../config/schema.js';
import type { ErrorDocument } from '../fault.js';
import type { PackageChanges } from '../guest/apt.js';
import type { Finding, HostState, Phase, PhaseTime, RunDocument } from './document.js';
import type { Inventory, StorageSeen } from './inventory.js';
import type { Acceptance, Baseline, Boot } from './records.js';

/** A run, from its journal. */
export interface RunState {
  readonly runId: string;
  readonly host: string;
  readonly mode: 'patch' | 'check';
  readonly startedAt: string;
  readonly lastAt: string;
  readonly resumed: boolean;
  readonly owesReboot: boolean;
  /** Fences of runs of this host that have ended, and are lifted after the verification of this one. */
  readonly inherited: ReadonlyArray<{ readonly run: string; readonly datastore: string }>;
  /** Runs whose expired locks it has replaced. */
  readonly tookOver: readonly string[];
  /** Fences of other runs that stood when this one had lifted its own. */
  readonly otherFences: ReadonlyArray<{ readonly run: string; readonly datastore: string }>;
  /** Postponements in a row before it; null in journals of older versions. */
  readonly postponed: RunDocument['postponements'] | null;
  readonly phase: Phase;
  /** Phases in the order of their beginnings; one that was begun again is listed again. */
  readonly timeline: readonly PhaseTime[];
  readonly findings: readonly Finding[];
  /** Findings of `verify` that a person answers for; the newest of each id. */
  readonly accepted: readonly Acceptance[];
  readonly baseline: Baseline | null;
  readonly locks: readonly string[];
  /** When each of them was taken (ISO 8601), not when it was renewed. */
  readonly lockedSince: Readonly<Record<string, string>>;
  readonly fenced: readonly string[];
  /**
   * What was in the datastores before the upgrade; null where a version before this began the run. `stands` while no
   * fence of this run was lifted since: then nothing may differ.
   */
  readonly inventory: (Inventory & { readonly stands: boolean }) | null;
  readonly storages: readonly StorageSeen[] | null;
  readonly planned: {
    readonly packages: PackageChanges;
    readonly planDigest: string;
    readonly approval: readonly string[];
  } | null;
  readonly would: readonly string[];
  readonly safeUntil: string | null;
  readonly updatesAsOf: string | null;
  readonly upgrade: 'not-begun' | 'begun' | 'done' | 'failed';
  /** How often it was tried. */
  readonly attempts: number;
  /** The last try (ISO 8601), and by the clock of the host in epoch seconds. */
  readonly upgradeAt: string | null;
  readonly upgradeSince: number | null;
  /** The boot before the first try, and when it was looked at (ISO 8601). */
  readonly bootBefore: { readonly boot: Boot; readonly seenAt: string } | null;
  /** The boot after the reboot, once it was seen. */
  readonly bootAfter: Boot | null;
  readonly upgradeTask: string | null;
  readonly changes: PackageChanges | null;
  /** The upgrade could not update the boot loader: a person has to, and gives this run up. */
  readonly bootLoaderFailed: boolean;
  readonly reboot: {
    readonly count: number;
    readonly requestedAt: string;
    readonly before: Boot;
    readonly downAt: string | null;
    readonly upAt: string | null;
  } | null;
  /** The reboot was not requested by this run and counts as its own. `owes`: why what came after it needs another. */
  readonly foreignBoot: { readonly owes: string | null } | null;
  readonly evidence: readonly string[];
  readonly after: HostState | null;
  readonly warnings: readonly string[];
  /** The postponement that was posted to Slack, and when (ISO 8601). */
  readonly told: { readonly reasons: string; readonly at: string } | null;
  readonly screen: RunDocument['screen'];
  readonly ended: {
    readonly outcome: Outcome;
    readonly retryAfter: string | null;
    readonly error: ErrorDocument | null;
    readonly open: boolean;
  } | null;
}

/** True for a run that the next `patch` of its host continues. */
export function isUnfinished(state: RunState): boolean {
  if (state.mode === 'check') return false;
  return state.ended === null || state.ended.open;
}
