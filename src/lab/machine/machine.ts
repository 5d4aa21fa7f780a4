import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { GuestMachine, Vitals } from '../guest-machine.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import type { ExecState } from './agent.js';
import { AgentSide } from './agent-side.js';
import { type MachineEvent, scheduleReboot } from './boot.js';
import { holdLock, put, readMounts, refreshLocks } from './disk.js';
import { runOneshot, unitLines } from './oneshot.js';
import {
  type InstalledPackage,
  newestKernel,
  type PendingChange,
  readInstalled,
  readPending,
} from './packages.js';
import { releaseOf } from './release.js';
import { MachineReports } from './reports.js';
import { screenOf } from './screen.js';
import { type BootSpec, DEFAULT_ROOT, FRONTEND_LOCK, type MachineSpec } from './spec.js';
import { install, makeRoot, putSystemState, type Root, removeRootLink, startSystem } from './system.js';
import { killTransientUnits } from './units.js';

/**
 * A simulated VM with the Debian of a PBS host in it. Its file system is a folder; commands run for
 * real in /bin/sh, with stand-ins for the tools of the system. Scenarios may change its fields at any time.
 */
export class Machine extends AgentSide implements GuestMachine {
  readonly vmid: number;
  readonly spec: MachineSpec;
  power: 'running' | 'stopped' = 'running';
  phase: 'up' | 'going-down' | 'down' | 'booting' = 'up';
  /** Epoch seconds. */
  bootedAt: number;
  bootId: string;
  runningKernel: string;

  readonly #state: string;
  readonly #folder: Root;
  readonly #reports: MachineReports;
  readonly #listeners = new Map<MachineEvent, Array<() => void>>();
  #boot: BootSpec;
  #swallow: number;
  #stopped = false;

  constructor(options: {
    name: string;
    vmid: number;
    time: LabTime;
    record: LabRecord;
    dir: string;
    spec: MachineSpec;
  }) {
    const { name, vmid, time, record, dir, spec } = options;
    const folder = makeRoot(dir);
    const release = releaseOf(spec.release ?? '4.2');
    super({ name, root: folder.path, agent: spec.agent, time, record, release });
    this.vmid = vmid;
    this.spec = spec;
    this.#folder = folder;
    this.#state = join(this.root, '.machine');
    this.bootedAt = Date.now() / 1000 - 21 * 86_400;
    this.bootId = randomUUID();
    this.runningKernel = this.release.kernel;
    this.#boot = spec.boot ?? {};
    this.#swallow = spec.boot?.swallowsReboots ?? 0;
    install(this.root, name, spec);
    this.putAgentLife();
    this.#startSystem([], spec.failedUnits ?? []);
    if (spec.rebootRequired) put(this.root, '/run/reboot-required', '*** System restart required ***\n');
    if (spec.lock) this.holdLock(spec.lock.file, spec.lock.seconds, spec.lock.process);
    putSystemState(this.root, 'running');
    refreshLocks(this.root);
    this.#reports = new MachineReports(this.#state, (kind, detail) => this.#reported(kind, detail));
  }

  /** Takes a request to reboot: the machine goes down and comes up as its spec says. Returns at once. */
  reboot(): void {
    if (this.phase === 'going-down' || this.phase === 'down') return;
    if (this.#swallow > 0) {
      this.#swallow -= 1;
      this.record.event('reboot-swallowed', this.name);
      return;
    }
    this.record.event('reboot', this.name, { vmid: this.vmid });
    this.phase = 'going-down';
    scheduleReboot(this.time, this.#boot, (event) => {
      if (!this.#stopped) this.#step(event);
    });
  }

  /** Power off and on, whatever state it is in; what the spec says of a bad boot holds no more. */
  reset(): void {
    this.power = 'running';
    this.phase = 'going-down';
    this.#boot = {};
    this.record.event('reset', this.name, { vmid: this.vmid });
    scheduleReboot(this.time, {}, (event) => {
      if (!this.#stopped) this.#step(event);
    });
  }

  on(event: MachineEvent, listener: () => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
  }

  /** What was done in the machine meanwhile is noted before its end is told. */
  override execStatus(pid: number): ExecState {
    this.#reports.read();
    return super.execStatus(pid);
  }

  vitals(): Vitals {
    const { totalBytes: total, usedBytes: used } = this.spec.root ?? DEFAULT_ROOT;
    const now = Math.floor(Date.now() / 1000);
    return {
      uptimeSeconds: Math.max(0, Math.floor(Date.now() / 1000 - this.bootedAt)),
      epochSeconds: now,
      kernel: this.runningKernel,
      root: { total, used, available: total - used },
    };
  }

  startUnit(unit: string): Promise<number | null> {
    return runOneshot(this.root, { factor: this.time.factor, bootId: this.bootId, unit });
  }

  /** What stands on its screen. Scenarios may say something else. */
  screen = (): readonly string[] =>
    screenOf({
      name: this.name,
      power: this.power,
      phase: this.phase,
      kernel: this.runningKernel,
      debian: this.release.debian.id,
      emergency: this.#boot.neverComesBack === 'emergency',
    });

  writeFile(path: string, text: string): void {
    put(this.root, path, text);
  }

  unitLines(unit: string): string[] {
    return unitLines(this.root, unit);
  }

  installedPackages(): InstalledPackage[] {
    return readInstalled(this.#state);
  }

  pendingUpgrades(): PendingChange[] {
    return readPending(this.#state);
  }

  /** All mounts but those of the kernel and memory. Sizes in bytes. */
  mounts(): Array<{ path: string; device: string; fstype: string; total: number; used: number }> {
    return readMounts(this.root)
      .filter(({ device }) => device.startsWith('/'))
      .map(({ path, device, fstype, totalBytes, usedBytes }) => ({
        path,
        device,
        fstype,
        total: totalBytes,
        used: usedBytes,
      }));
  }

  /** Lets a process that is not ours hold a lock of apt, for simulated seconds or (null) for ever. */
  holdLock(file: string = FRONTEND_LOCK, seconds: number | null = null, process = 'apt-get'): void {
    const until = seconds === null ? 0 : Date.now() + (seconds * 1000) / this.time.factor;
    holdLock(this.root, file, 1734, process, until);
    refreshLocks(this.root);
  }

  /** Kills everything that runs in the machine. Its folder stays. */
  stop(): void {
    this.#stopped = true;
    this.endAgent();
    this.#reports.stop();
    killTransientUnits(this.#state);
    removeRootLink(this.#folder);
  }

  #startSystem(mounts: readonly string[], units: readonly string[]): void {
    const boot = { id: this.bootId, kernel: this.runningKernel, at: this.bootedAt };
    startSystem(this.root, this.spec, boot, { mounts, units });
  }

  #step(event: MachineEvent | 'agent-silent'): void {
    const boot = this.#boot;
    if (event === 'going-down') {
      this.phase = 'going-down';
      putSystemState(this.root, 'stopping');
    } else if (event === 'agent-silent') {
      this.agentRuns = false;
      this.newAgent();
      return;
    } else if (event === 'down') {
      this.phase = 'down';
      this.agentRuns = false;
      this.newAgent();
      killTransientUnits(this.#state);
      refreshLocks(this.root);
      if (boot.neverComesBack === 'stopped') this.power = 'stopped';
    } else if (event === 'booting') {
      this.phase = 'booting';
      this.bootedAt = Date.now() / 1000;
      this.bootId = randomUUID();
      this.runningKernel = newestKernel(this.#state) ?? this.runningKernel;
      putSystemState(this.root, 'starting');
      this.#startSystem(boot.losesMounts ?? [], boot.failsUnits ?? []);
    } else if (event === 'agent-up') this.agentRuns = true;
    else if (event === 'up') {
      this.phase = 'up';
      putSystemState(this.root, 'running');
    }
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }

  #reported(kind: string, detail: Record<string, unknown>): void {
    if (this.#stopped) return;
    if (kind === 'restart-agent') this.restartAgent();
    else if (kind === 'reboot') this.reboot();
    else this.record.event(kind, this.name, detail);
  }
}
