import type { PackageChanges } from '../guest/apt.js';
import type { UnitState } from '../guest/upgrade-unit.js';

/** One look at an upgrade that runs, has ended, or may still begin. */
export interface ObservedUpgrade {
  readonly unit: UnitState;
  /** Of a unit that is gone: it will not begin any more. */
  readonly isSettled: boolean;
  /** Null where nothing is known yet. `percent` null where only words are. */
  readonly progress: { readonly percent: number | null; readonly text: string } | null;
  /** What was written since the last look, in whatever bytes. */
  readonly log: string | Buffer;
}

/** What would be done, and what must stay on this host. */
export interface Plan {
  readonly packages: PackageChanges;
  isProtected(name: string): boolean;
}

/** What is true of the packages once the upgrade has ended, however it ended. */
export interface UpgradeResult {
  readonly changes: PackageChanges;
  /** What `dpkg --audit` says; '' when the packages are whole, or when no guest can be asked. */
  readonly audit: string;
  /** How many packages still wait; null when that cannot be told. */
  readonly pending: number | null;
  isProtected(name: string): boolean;
  /** What it said that it would remove, where only it knows; else the plan of the run says so. */
  readonly removals?: PackageChanges['removed'];
  /** By its own simulation there was something to do. */
  readonly hadSomethingToDo: boolean;
}

/**
 * A way to upgrade a host: through the guest agent, or through a unit that the administrator installed.
 * Both run the same script; they differ in how it is started and in what can be seen of it.
 */
export interface UpgradeMethod {
  /** How people call what runs, for messages: "pbs-ctl-upgrade-k3f9x2.service in the guest". */
  readonly name: string;
  /** @throws Fault `upgrade.no-plan` (exit 75) */
  plan(): Promise<Plan>;
  /**
   * Makes ready for a start, so that what follows can be told from what was before.
   * @returns epoch seconds by the clock of the host, at most when the start is sent; null where it does not matter
   */
  prepare(): Promise<number | null>;
  /** Asks for it, once. @throws Fault of kind `unknown` where it may begin all the same */
  start(plan: PackageChanges): Promise<void>;
  /** @throws Fault where it cannot be asked at the moment */
  observe(): Promise<ObservedUpgrade>;
  result(): Promise<UpgradeResult>;
  /** Takes away what is left of an upgrade that has ended; a running one is left alone. */
  clear(): Promise<void>;
}
