/** Product line of the simulated host: it chooses the Debian underneath, the packages and the kernels. */
export type PbsRelease = '3.4' | '4.0' | '4.1' | '4.2';

export interface PackageSpec {
  readonly name: string;
  readonly version: string;
  readonly description?: string;
}

/** One thing that `dist-upgrade` would do. Without `from` it installs anew; without `to` it removes. */
export interface ChangeSpec {
  readonly name: string;
  readonly from?: string;
  readonly to?: string;
  /** As apt prints it: `Debian-Security:13/stable-security`. */
  readonly origin?: string;
  readonly sizeBytes?: number;
}

export interface MountSpec {
  readonly path: string;
  readonly device: string;
  readonly fstype: string;
  readonly totalBytes: number;
  readonly usedBytes: number;
}

/** How the upgrade in the machine goes. */
interface UpgradeSpec {
  /** Length of the whole `dist-upgrade` in simulated seconds. */
  readonly seconds?: number;
  /** A package whose installation fails, and in what way. `times` limits how often (for ever otherwise). */
  readonly fails?: {
    readonly package: string;
    readonly how: 'postinst' | 'download' | 'conffile';
    readonly times?: number;
  };
  /** A package whose configuration never ends. */
  readonly hangsAt?: string;
  /** Simulated seconds from the request to start a transient unit until systemd has it. */
  readonly startsAfterSeconds?: number;
  /** Simulated seconds for which systemd answers nothing while an upgrade of itself makes it re-execute; a moment otherwise. */
  readonly systemdSilentSeconds?: number;
  /** Whether something writes /run/reboot-required; plain Debian and PBS do not. */
  readonly rebootRequired?: boolean;
}

/** How the machine goes down and comes up. All lengths are simulated seconds. */
export interface BootSpec {
  readonly downSeconds?: number;
  readonly bootSeconds?: number;
  /** From the running kernel to the agent. */
  readonly agentSeconds?: number;
  /** From the agent to the last service. */
  readonly servicesSeconds?: number;
  /** Reboot requests that are taken and lead to nothing. */
  readonly swallowsReboots?: number;
  /** `emergency`: the VM runs and nothing in it answers. `stopped`: the VM is off afterwards. */
  readonly neverComesBack?: 'emergency' | 'stopped';
  /** Mount points whose disk is gone after the reboot. */
  readonly losesMounts?: readonly string[];
  /** Units that have failed after the reboot. */
  readonly failsUnits?: readonly string[];
}

export interface AgentState {
  installed: boolean;
  execAllowed: boolean;
  frozen: boolean;
  /** Real milliseconds that each answer takes. */
  delayMs: number;
  /** The service is stopped in the guest. */
  down: boolean;
}

/** What a scenario says of one machine. Everything left out is as on a healthy host with eight upgrades waiting. */
export interface MachineSpec {
  readonly release?: PbsRelease;
  /** Takes the place of the release's own set. */
  readonly packages?: readonly PackageSpec[];
  /** Takes the place of the release's own upgrades; `[]` = nothing to upgrade. */
  readonly changes?: readonly ChangeSpec[];
  /** Added to what is in `changes`. */
  readonly moreChanges?: readonly ChangeSpec[];
  /** Installed packages that the upgrade would remove. */
  readonly removes?: readonly string[];
  /** Whether the guest agent is among the upgrades, and so restarts in the middle. */
  readonly upgradesAgent?: boolean;
  readonly held?: readonly string[];
  /** Packages that `autoremove` would take away. */
  readonly autoremovable?: readonly string[];
  /** Packages that only the upgrade makes superfluous, as the simulation of both together says. */
  readonly autoremovableAfter?: readonly string[];
  /** As a kernel does: superfluous once the upgrade has installed a newer one, which no simulation says. */
  readonly autoremovableOnceInstalled?: readonly string[];
  /** Lines of apt's configuration in the guest, such as `APT::Get::Purge "true";`. */
  readonly aptConf?: string;
  /** An earlier dpkg run was cut off: two packages half done, and its journal left behind. */
  readonly dpkgInterrupted?: boolean;
  /** Another process holds a lock of apt, for ever or for so many simulated seconds. */
  readonly lock?: { readonly file?: string; readonly process?: string; readonly seconds?: number | null };
  readonly agent?: Partial<AgentState>;
  readonly upgrade?: UpgradeSpec;
  readonly boot?: BootSpec;
  readonly root?: { readonly totalBytes: number; readonly usedBytes: number };
  /** Datastore mounts; each gets its line in /etc/fstab. */
  readonly mounts?: readonly MountSpec[];
  readonly failedUnits?: readonly string[];
  readonly rebootRequired?: boolean;
}

export const FRONTEND_LOCK = '/var/lib/dpkg/lock-frontend';
export const APT_LOCKS = [
  FRONTEND_LOCK,
  '/var/lib/dpkg/lock',
  '/var/lib/apt/lists/lock',
  '/var/cache/apt/archives/lock',
] as const;

export const UPGRADE_SECONDS = 40;
export const BOOT_SECONDS = { down: 8, boot: 20, agent: 3, services: 2 } as const;
export const DEFAULT_MOUNTS: readonly MountSpec[] = [
  { path: '/mnt/datastore/tank', device: '/dev/vdb1', fstype: 'ext4', totalBytes: 2e12, usedBytes: 8e11 },
];
export const DEFAULT_ROOT = { totalBytes: 32e9, usedBytes: 6e9 } as const;
