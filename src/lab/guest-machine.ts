import type { ExecState } from './machine/agent.js';
import type { MachineEvent } from './machine/boot.js';
import type { FsInfo, OsInfo } from './machine/facts.js';
import type { InstalledPackage, PendingChange } from './machine/packages.js';

export type Awaitable<Value> = Value | Promise<Value>;

/** What PBS tells of the host that it runs on. */
export interface Vitals {
  readonly uptimeSeconds: number;
  readonly epochSeconds: number;
  readonly kernel: string;
  /** Bytes. `available` is less than the rest: some is reserved for root. */
  readonly root: { readonly total: number; readonly used: number; readonly available: number };
}

export interface MachineMount {
  readonly path: string;
  readonly device: string;
  readonly fstype: string;
  readonly total: number;
  readonly used: number;
}

/**
 * A VM as the servers of the lab see it: the lab's own stand-in, or a real one that is brought
 * along. Its agent refuses with {@link AgentError}.
 */
export interface GuestMachine {
  readonly name: string;
  readonly vmid: number;
  readonly power: 'running' | 'stopped';
  /** What QEMU says of it, where that is known: `io-error` and `paused` are running for PVE. */
  readonly qmpstatus?: string;

  /** The ping with which PVE begins every agent call; false after its time limit of 3 s. */
  ping(): Promise<boolean>;
  exec(command: readonly string[], input?: string): Awaitable<number>;
  execStatus(pid: number): Awaitable<ExecState>;
  readFile(path: string): Awaitable<Buffer>;
  info(): Awaitable<unknown>;
  osinfo(): Awaitable<OsInfo>;
  fsinfo(): Awaitable<readonly FsInfo[]>;
  hostName(): Awaitable<string>;
  /** Where the machine can tell; its file systems move otherwise. */
  readonly freezeState?: () => Awaitable<'thawed' | 'frozen'>;

  vitals(): Awaitable<Vitals>;
  mounts(): Awaitable<readonly MachineMount[]>;
  installedPackages(): Awaitable<readonly InstalledPackage[]>;
  pendingUpgrades(): Awaitable<readonly PendingChange[]>;
  /** `systemctl start` of a unit, to its end. @returns its exit code, null where there is no such unit */
  startUnit(unit: string): Awaitable<number | null>;
  /** What is in the journal about a unit, as `journalctl` prints it. */
  unitLines(unit: string, since?: number): Awaitable<readonly string[]>;
  /** All of it, between two moments in epoch seconds, where the machine can tell. */
  readonly journal?: (between: { since?: number; until?: number }) => Awaitable<readonly string[]>;
  /** Services by name, where the machine itself knows how they stand. */
  readonly services?: () => Promise<ReadonlyMap<string, string>>;
  /** `apt-get update`, where the machine can really do it. */
  readonly refreshPackages?: () => Promise<{ readonly exitCode: number; readonly lines: readonly string[] }>;

  /** Lays down the certificate of PBS: in its file, or as what its proxy serves at the loopback address of the machine. */
  readonly putCertificate?: (where: 'file' | 'served', pem: string) => void;
  /** The text in that file. */
  readonly certificateFile?: () => string;

  /** What stands on its screen, line by line. */
  readonly screen?: () => readonly string[];

  /** What an administrator lays down in the guest. */
  writeFile(path: string, text: string): Awaitable<void>;
  reboot(): Awaitable<void>;
  /** Power off and on, whatever state it is in. */
  reset(): Awaitable<void>;
  /** Nothing in it moves any more; for PVE it still runs. */
  readonly halt?: (how: 'paused' | 'io-error') => void;
  /** Off at once, as by `qm stop`. */
  readonly powerOff?: () => void;
  on(event: MachineEvent, listener: () => void): void;
  stop(): Awaitable<void>;
}
