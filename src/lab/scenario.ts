import type { Awaitable, GuestMachine } from './guest-machine.js';
import type { Lab as AnyLab } from './lab.js';
import type { MachineSpec } from './machine/spec.js';
import { BEFOREHAND } from './scenarios/beforehand.js';
import { REBOOT } from './scenarios/reboot.js';
import { UPGRADE } from './scenarios/upgrade.js';

type Lab = AnyLab<GuestMachine>;

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
  readonly arrange?: (lab: Lab) => Awaitable<void>;
}

export const SCENARIOS: readonly Scenario[] = [...BEFOREHAND, ...UPGRADE, ...REBOOT];
