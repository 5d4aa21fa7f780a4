import type { Awaitable, GuestMachine } from '../guest-machine.js';
import type { MachineSpec } from '../machine/spec.js';
import type { PbsHost } from '../pbs/host.js';
import type { PveCluster } from '../pve/cluster.js';
import type { LabRecord } from '../record.js';

/** A situation by name: what pbs01 is like, what happens around it, and how `patch` has to end. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Outcome of `pbs-ctl patch --host pbs01`. */
  readonly expected: 'patched' | 'postponed' | 'failed' | 'unverified';
  /** How the machine of pbs01 differs from a healthy one. */
  readonly machine?: MachineSpec;
  /** Keys of the policy in the lab's config that differ. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Keys of pbs01 in the lab's config that differ. */
  readonly host?: Readonly<Record<string, unknown>>;
  /** Changes the lab after it has started, or listens for what happens in it. */
  readonly arrange?: (lab: Landscape) => Awaitable<void>;
}

/** What a scenario may change: a cluster, the PBS hosts that are VMs of it, and the record of both. */
export interface Landscape<M extends GuestMachine = GuestMachine> {
  readonly cluster: PveCluster;
  readonly hosts: ReadonlyMap<string, PbsHost<M>>;
  readonly record: LabRecord;
}
