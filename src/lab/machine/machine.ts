import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { GuestMachine, Vitals } from '../guest-machine.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { AgentError, AgentProcesses, type ExecState, readMachineFile } from './agent.js';
import { type MachineEvent, scheduleReboot } from './boot.js';
import { holdLock, put, readMounts, refreshLocks, writeJournal } from './disk.js';
import { FROZEN_COMMANDS, type FsInfo, fsInfo, type OsInfo, osInfo, supportedCommands } from './facts.js';
import { runOneshot, unitLines } from './oneshot.js';
import {
  type InstalledPackage,
  newestKernel,
  type PendingChange,
  readInstalled,
  readPending,
} from './packages.js';
import { type Release, releaseOf } from './release.js';
import { MachineReports } from './reports.js';
import { screenOf } from './screen.js';
import { type AgentState, type BootSpec, DEFAULT_ROOT, FRONTEND_LOCK, type MachineSpec } from './spec.js';
import { install, makeRoot, putSystemState, type Root, removeRootLink, startSystem } from './system.js';
import { killTransientUnits } from './units.js';

export { AgentError, type ExecState } from './agent.js';
export type { MachineEvent } from './boot.js';
export type { AgentState, MachineSpec } from './spec.js';

/** Simulated seconds of a restart of the agent; nobody answers meanwhile. */
const AGENT_RESTART = 0.4;
/** Simulated seconds until PVE gives up on an agent that does not answer its ping. */
const PING_LIMIT = 3;

/**
 * A simulated VM with the Debian of a PBS host in it. Its file system is a folder; commands run for
 * real in /bin/sh, with stand-ins for the tools of the system. Scenarios may change its fields at any time.
 */
export class Machine implements GuestMachine {
  readonly name: string;
  readonly vmid: number;
  /** The folder as commands see it: free of characters that a shell would take apart. */
  readonly root: string;
  readonly agent: AgentState;
  readonly spec: MachineSpec;
  power: 'running' | 'stopped' = 'running';
  phase: 'up' | 'going-down' | 'down' | 'booting' = 'up';
  /** Epoch seconds. */
  bootedAt: number;
  bootId: string;
  runningKernel: string;

  readonly #time: LabTime;
  readonly #record: LabRecord;
  readonly #release: Release;
  readonly #state: string;
  readonly #folder: Root;
  readonly #reports: MachineReports;
  readonly #listeners = new Map<MachineEvent, Array<() => void>>();
  #processes: AgentProcesses;
  #agentRuns = true;
  #agentLife = 1;
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
    this.name = name;
    this.vmid = vmid;
    this.spec = spec;
    this.#time = time;
    this.#record = record;
    this.#release = releaseOf(spec.release ?? '4.2');
    this.#folder = makeRoot(dir);
    this.root = this.#folder.path;
    this.#state = join(this.root, '.machine');
    this.agent = {
      installed: true,
      execAllowed: true,
      frozen: false,
      delayMs: 0,
      down: false,
      ...spec.agent,
    };
    this.bootedAt = Date.now() / 1000 - 21 * 86_400;
    this.bootId = randomUUID();
    this.runningKernel = this.#release.kernel;
    this.#boot = spec.boot ?? {};
    this.#swallow = spec.boot?.swallowsReboots ?? 0;
    this.#processes = new AgentProcesses(this.root, time.factor);
    install(this.root, name, spec);
    this.#putAgentLife();
    this.#startSystem([], spec.failedUnits ?? []);
    if (spec.rebootRequired) put(this.root, '/run/reboot-required', '*** System restart required ***\n');
    if (spec.lock) this.holdLock(spec.lock.file, spec.lock.seconds, spec.lock.process);
    putSystemState(this.root, 'running');
    refreshLocks(this.root);
    this.#reports = new MachineReports(this.#state, (kind, detail) => this.#reported(kind, detail));
  }

  /** Whether a request to the agent would be answered; otherwise there is silence until a time limit. */
  get agentAnswers(): boolean {
    const { installed, down } = this.agent;
    return installed && !down && this.power === 'running' && this.#agentRuns;
  }

  /** Answers late where a scenario says so, and not at all within PVE's limit where nobody is there. */
  async ping(): Promise<boolean> {
    if (this.agent.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.agent.delayMs));
    if (!this.agentAnswers) await this.#time.sleep(PING_LIMIT);
    return this.agentAnswers;
  }

  /** The operating system, with the kernel that runs. */
  get os(): OsInfo {
    return osInfo(this.#release, this.runningKernel);
  }

  /**
   * guest-exec: starts a program, looked up in PATH, without a shell.
   * @returns its pid
   * @throws AgentError when exec is blocked or frozen, or the program cannot be started
   */
  exec(command: readonly string[], input?: string): number {
    this.#permit('guest-exec');
    refreshLocks(this.root);
    this.#writeUptime();
    const line = command.map((word) => word.replace(/\n/g, '\\n')).join(' ');
    this.#log('qemu-guest-agent.service', `info: guest-exec called: "${line}"`);
    return this.#processes.start(command, input);
  }

  /** guest-exec-status: an end is handed out once. @throws AgentError for an unknown or spent pid */
  execStatus(pid: number): ExecState {
    this.#permit('guest-exec-status');
    this.#reports.read();
    return this.#processes.status(pid);
  }

  /** guest-file-open and -read in one. @throws AgentError */
  readFile(path: string): Buffer {
    this.#permit('guest-file-open');
    refreshLocks(this.root);
    this.#writeUptime();
    return readMachineFile(this.root, path);
  }

  /** guest-get-fsinfo: what is mounted and has a block device. @throws AgentError */
  fsinfo(): FsInfo[] {
    this.#permit('guest-get-fsinfo');
    return fsInfo(readMounts(this.root));
  }

  /** guest-get-osinfo. @throws AgentError */
  osinfo(): OsInfo {
    this.#permit('guest-get-osinfo');
    return this.os;
  }

  /** guest-fsfreeze-status: answers also while the file systems are frozen. */
  freezeState(): 'thawed' | 'frozen' {
    return this.agent.frozen ? 'frozen' : 'thawed';
  }

  /** guest-get-host-name. @throws AgentError */
  hostName(): string {
    this.#permit('guest-get-host-name');
    return this.name;
  }

  /** guest-info: answers also while the file systems are frozen. */
  info() {
    const version = this.installedPackages().find(({ name }) => name === 'qemu-guest-agent')?.version ?? '0';
    return {
      version: version.replace(/^\d+:|[+-].*$/g, ''),
      supported_commands: supportedCommands(this.agent),
    };
  }

  /** Restarts the agent: its children die and their pids are forgotten, transient units live on. */
  restartAgent(): void {
    this.#newAgent();
    const life = this.#agentLife;
    this.#agentRuns = false;
    this.#record.event('agent-restarted', this.name);
    this.#time.after(AGENT_RESTART, () => {
      if (this.#agentLife === life) this.#agentRuns = true;
    });
  }

  /** Takes a request to reboot: the machine goes down and comes up as its spec says. Returns at once. */
  reboot(): void {
    if (this.phase === 'going-down' || this.phase === 'down') return;
    if (this.#swallow > 0) {
      this.#swallow -= 1;
      this.#record.event('reboot-swallowed', this.name);
      return;
    }
    this.#record.event('reboot', this.name, { vmid: this.vmid });
    this.phase = 'going-down';
    scheduleReboot(this.#time, this.#boot, (event) => {
      if (!this.#stopped) this.#step(event);
    });
  }

  /** Power off and on, whatever state it is in; what the spec says of a bad boot holds no more. */
  reset(): void {
    this.power = 'running';
    this.phase = 'going-down';
    this.#boot = {};
    this.#record.event('reset', this.name, { vmid: this.vmid });
    scheduleReboot(this.#time, {}, (event) => {
      if (!this.#stopped) this.#step(event);
    });
  }

  on(event: MachineEvent, listener: () => void): void {
    this.#listeners.set(event, [...(this.#listeners.get(event) ?? []), listener]);
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
    return runOneshot(this.root, { factor: this.#time.factor, bootId: this.bootId, unit });
  }

  /** What stands on its screen. Scenarios may say something else. */
  screen = (): readonly string[] =>
    screenOf({
      name: this.name,
      power: this.power,
      phase: this.phase,
      kernel: this.runningKernel,
      debian: this.#release.debian.id,
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
    const until = seconds === null ? 0 : Date.now() + (seconds * 1000) / this.#time.factor;
    holdLock(this.root, file, 1734, process, until);
    refreshLocks(this.root);
  }

  /** Kills everything that runs in the machine. Its folder stays. */
  stop(): void {
    this.#stopped = true;
    this.#agentRuns = false;
    this.#reports.stop();
    this.#processes.end();
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
      this.#agentRuns = false;
      this.#newAgent();
      return;
    } else if (event === 'down') {
      this.phase = 'down';
      this.#agentRuns = false;
      this.#newAgent();
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
    } else if (event === 'agent-up') this.#agentRuns = true;
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
    else this.#record.event(kind, this.name, detail);
  }

  #newAgent(): void {
    this.#processes.end();
    this.#processes = new AgentProcesses(this.root, this.#time.factor);
    this.#agentLife += 1;
    this.#putAgentLife();
    refreshLocks(this.root);
  }

  /** Whoever waits in the machine for a restart of the agent reads here that it has happened. */
  #putAgentLife(): void {
    put(this.root, '/.machine/agent-life', `${this.#agentLife}\n`);
  }

  #permit(command: string): void {
    if (!this.agentAnswers) throw new AgentError('QEMU guest agent is not running');
    if (this.agent.frozen && !FROZEN_COMMANDS.includes(command)) {
      throw new AgentError(`Command ${command} has been disabled: the agent is in frozen state`);
    }
    if (!this.agent.execAllowed && command.startsWith('guest-exec')) {
      throw new AgentError(`Command ${command} has been disabled`);
    }
  }

  #writeUptime(): void {
    const uptime = Math.max(0, Date.now() / 1000 - this.bootedAt).toFixed(2);
    put(this.root, '/proc/uptime', `${uptime} ${uptime}\n`);
  }

  #log(unit: string, text: string): void {
    writeJournal(this.root, this.bootId, unit, text);
  }
}
