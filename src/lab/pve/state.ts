import type { GuestMachine } from '../guest-machine.js';
import type { PveError } from './server.js';

export type PveVersion = '8.4' | '9.2';

export interface SimulatedNode {
  readonly name: string;
  online: boolean;
  /** The other nodes cannot reach it, although it belongs to the cluster: what goes through them is answered 595. */
  unreachable?: boolean;
  /** Epoch seconds. */
  bootedAt: number;
  /** How far its clock is off, seconds. */
  clockOffset: number;
  /** Null where it has no /etc/timezone. */
  timezone: string | null;
  haMode: 'active' | 'maintenance' | 'shutdown' | 'restart';
  packages: Array<{ name: string; state: string; version: string }>;
  /** As `uname -r` says it; otherwise that of the first kernel among its packages. */
  runningKernel?: string;
  /** Of the API daemons that run; otherwise as installed. */
  runningManager?: string;
}

/** A command to an agent that is refused without being carried out, or is carried out and the answer is another one. */
interface AgentTrouble {
  readonly instead?: PveError;
  readonly afterwards?: PveError;
}

export interface SimulatedGuest {
  readonly vmid: number;
  readonly name: string;
  readonly type: 'qemu' | 'lxc';
  node: string;
  /** Keys of the config file, `tags` and `lock` among them. */
  readonly config: Record<string, string>;
  /** What was changed while it runs and counts from its next start: GET config shows it, unless the current is wanted. */
  pending?: Record<string, string>;
  /** Another process holds the lock of its config file: every write of it is given up after ten seconds. */
  configBusy?: boolean;
  /** What befalls a command to its agent; null = nothing. */
  agentTrouble?: (asked: {
    readonly command: string;
    readonly params: Readonly<Record<string, unknown>>;
  }) => AgentTrouble | null;
  readonly machine?: GuestMachine;
}

export interface SimulatedTask {
  readonly upid: string;
  readonly node: string;
  readonly type: string;
  readonly id: string;
  readonly user: string;
  readonly startedAt: number;
  readonly log: string[];
  endedAt: number | null;
  status: string | null;
}

export interface SimulatedJob {
  readonly id: string;
  schedule: string;
  enabled: boolean;
  storage?: string;
  vmid?: string;
  all?: boolean;
  node?: string;
}

export interface SimulatedStorage {
  readonly storage: string;
  readonly type: string;
  readonly server?: string;
  readonly port?: number;
  readonly datastore?: string;
  readonly fingerprint?: string;
  /** Only these nodes use it, with commas between. */
  readonly nodes?: string;
  /** The password in its file is not accepted any more. */
  badPassword?: boolean;
}
