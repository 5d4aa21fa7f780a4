import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GuestMachine, Vitals } from '../guest-machine.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import type { ExecState } from './agent.js';
import { type MachineEvent, scheduleReboot } from './boot.js';
import { put, refreshLocks } from './disk.js';
import { Inside } from './inside.js';
import { newestKernel } from './packages.js';
import { releaseOf } from './release.js';
import { MachineReports } from './reports.js';
import { screenOf } from './screen.js';
import { type BootSpec, DEFAULT_ROOT, type MachineSpec } from './spec.js';
import { install, makeRoot, putSystemState, type Root, removeRootLink, startSystem } from './system.js';

const CERTIFICATE = '/etc/proxmox-backup/proxy.pem';

/**
 * A simulated VM with the Debian of a PBS host in it. Its file system is a folder; commands run for
 * real in /bin/sh, with stand-ins for the tools of the system. Scenarios may change its fields at any time.
 */
export class Machine extends Inside implements GuestMachine {
  readonly vmid: number;
  readonly spec: MachineSpec;
  power: 'running' | 'stopped' = 'running';
  phase: 'up' | 'going-down' | 'down' | 'booting' = 'up';
  /** Epoch seconds. */
  bootedAt: number;
  bootId: string;

  readonly #folder: Root;
  #halted: 'paused' | 'io-error' | null = null;
  readonly #reports: MachineReports;
  readonly #listeners = new Map<MachineEvent, Array<() => void>>();
  #boot: BootSpec;
  #swallow: number;
  #kernel: string;
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
    this.bootedAt = Date.now() / 1000 - 21 * 86_400;
    this.bootId = randomUUID();
    this.#kernel = this.release.kernel;
    this.#boot = spec.boot ?? {};
    this.#swallow = spec.boot?.swallowsReboots ?? 0;
    install(this.root, name, spec);
    this.putAgentLife();
    this.#startSystem([], spec.failedUnits ?? []);
    if (spec.rebootRequired) put(this.root, '/run/reboot-required', '*** System restart required ***\n');
    if (spec.lock) this.holdLock(spec.lock.file, spec.lock.seconds, spec.lock.process);
    putSystemState(this.root, 'running');
    refreshLocks(this.root);
    this.#reports = new MachineReports(this.state, (kind, detail) => this.#reported(kind, detail));
  }

  get runningKernel(): string {
    return this.#kernel;
  }

  /** As if it had booted with it. */
  set runningKernel(release: string) {
    this.#kernel = release;
    put(this.root, '/.machine/kernel', `${release}\n`);
    put(this.root, '/proc/sys/kernel/osrelease', `${release}\n`);
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

  get qmpstatus(): string {
    return this.power === 'stopped' ? 'stopped' : (this.#halted ?? 'running');
  }

  /** Nothing in the VM moves any more, until it is resumed: an administrator paused it, or its disk cannot be written. */
  halt(how: 'paused' | 'io-error'): void {
    this.#halted = how;
    this.#move('SIGSTOP');
    this.#tell('halted');
  }

  resume(): void {
    this.#halted = null;
    this.#move('SIGCONT');
    this.#tell('resumed');
  }

  /** Power off at once, as by `qm stop`. */
  powerOff(): void {
    if (this.#halted) this.resume();
    this.power = 'stopped';
    this.#step('going-down');
    this.#step('down');
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

  putCertificate(where: 'file' | 'served', pem: string): void {
    put(this.root, where === 'file' ? CERTIFICATE : '/.machine/served.pem', pem);
  }

  certificateFile(): string {
    try {
      return readFileSync(join(this.root, CERTIFICATE), 'utf8');
    } catch {
      return '';
    }
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

  /** Kills everything that runs in the machine. Its folder stays. */
  stop(): void {
    this.#stopped = true;
    this.endAgent();
    this.#reports.stop();
    this.killUnits();
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
      this.killUnits();
      refreshLocks(this.root);
      if (boot.neverComesBack === 'stopped') this.power = 'stopped';
    } else if (event === 'booting') {
      this.phase = 'booting';
      this.bootedAt = Date.now() / 1000;
      this.bootId = randomUUID();
      this.#kernel = newestKernel(this.state) ?? this.#kernel;
      putSystemState(this.root, 'starting');
      this.#startSystem(boot.losesMounts ?? [], boot.failsUnits ?? []);
    } else if (event === 'agent-up') this.agentRuns = true;
    else if (event === 'up') {
      this.phase = 'up';
      putSystemState(this.root, 'running');
    }
    this.#tell(event);
  }

  #tell(event: MachineEvent): void {
    for (const listener of this.#listeners.get(event) ?? []) listener();
  }

  #move(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.signalUnits(signal);
    this.signalChildren(signal);
  }

  #reported(kind: string, detail: Record<string, unknown>): void {
    if (this.#stopped) return;
    if (kind === 'restart-agent') this.restartAgent();
    else if (kind === 'reboot') this.reboot();
    else this.record.event(kind, this.name, detail);
  }
}
