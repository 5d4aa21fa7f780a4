import type { GuestMachine } from '../guest-machine.js';
import type { PbsRelease } from '../machine/spec.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import type { SimulatedGroup } from './contents.js';

export interface PbsHostOptions<M extends GuestMachine> {
  readonly name: string;
  readonly version: PbsRelease;
  readonly machine: M;
  readonly time: LabTime;
  readonly record: LabRecord;
}

export interface SimulatedDatastore {
  readonly name: string;
  readonly path: string;
  /** `read-only,message=…`, as it is stored. */
  maintenance: string | null;
  /** In the server's words; null when it is well. */
  error: string | null;
  /**
   * `hangs`: what touches its files never comes back, as on a hard NFS mount whose server is gone.
   * `path-gone`: its folder has vanished while PBS runs.
   */
  trouble?: 'hangs' | 'path-gone' | null;
  groups?: SimulatedGroup[];
}

export interface PbsTask {
  readonly upid: string;
  readonly type: string;
  readonly id: string | null;
  readonly user: string;
  readonly startedAt: number;
  readonly store: string | null;
  readonly access: 'read' | 'write' | null;
  readonly log: string[];
  endedAt: number | null;
  status: string | null;
}

/** Another PBS, as this one knows it. */
export interface PbsRemote {
  readonly name: string;
  readonly host: string;
  readonly port?: number;
  readonly fingerprint?: string;
}

export interface PbsJob {
  readonly kind: 'prune' | 'verify' | 'sync' | 'gc' | 'tape';
  readonly id: string;
  readonly store: string;
  schedule: string;
  /** Of a sync job; "elsewhere" unless something else is said. */
  readonly remote?: string;
  /** Epoch seconds. */
  nextRun: number;
  /** How it ended the last time. */
  lastRun?: {
    readonly upid: string;
    readonly endedAt: number;
    readonly state: string;
    readonly seconds: number;
  };
}

export const SERVICES = [
  'proxmox-backup',
  'proxmox-backup-proxy',
  'sshd',
  'systemd-journald',
  'cron',
  'postfix',
  'chrony',
];
