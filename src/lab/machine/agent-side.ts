import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { AgentError, AgentProcesses, type ExecState, readMachineFile } from './agent.js';
import { put, readMounts, refreshLocks } from './disk.js';
import { FROZEN_COMMANDS, type FsInfo, fsInfo, type OsInfo, osInfo, supportedCommands } from './facts.js';
import { writeJournal } from './journal.js';
import type { InstalledPackage } from './packages.js';
import type { Release } from './release.js';
import type { AgentState } from './spec.js';

/** Simulated seconds of a restart of the agent; there is no answer meanwhile. */
const AGENT_RESTART = 0.4;
/** Simulated seconds until PVE gives up on an agent that does not answer its ping. */
const PING_LIMIT = 3;

/** What the guest agent of a simulated machine does and says. The machine itself says when it lives. */
export abstract class AgentSide {
  readonly name: string;
  /** The folder as commands see it: free of characters that a shell would take apart. */
  readonly root: string;
  readonly agent: AgentState;
  abstract readonly power: 'running' | 'stopped';
  /** What QEMU says of it: a VM that is paused or halted still runs for PVE. */
  abstract readonly qmpstatus: string;
  /** Epoch seconds. */
  abstract readonly bootedAt: number;
  abstract readonly bootId: string;
  abstract readonly runningKernel: string;

  protected readonly time: LabTime;
  protected readonly record: LabRecord;
  protected readonly release: Release;
  protected agentRuns = true;
  #processes: AgentProcesses;
  #life = 1;

  constructor(options: {
    name: string;
    root: string;
    agent: Partial<AgentState> | undefined;
    time: LabTime;
    record: LabRecord;
    release: Release;
  }) {
    const { name, root, agent, time, record, release } = options;
    this.name = name;
    this.root = root;
    this.time = time;
    this.record = record;
    this.release = release;
    this.agent = { installed: true, execAllowed: true, frozen: false, delayMs: 0, down: false, ...agent };
    this.#processes = new AgentProcesses(root, time.factor, release.debian.id === '12');
  }

  abstract installedPackages(): InstalledPackage[];

  /** Whether a request to the agent would be answered; otherwise there is silence until a time limit. */
  get agentAnswers(): boolean {
    const { installed, down } = this.agent;
    return installed && !down && this.qmpstatus === 'running' && this.agentRuns;
  }

  /** Answers late where a scenario says so, and not at all within PVE's limit where no agent runs. */
  async ping(): Promise<boolean> {
    if (this.agent.delayMs > 0) await new Promise((resolve) => setTimeout(resolve, this.agent.delayMs));
    if (!this.agentAnswers) await this.time.sleep(PING_LIMIT);
    return this.agentAnswers;
  }

  /** The operating system, with the kernel that runs. */
  get os(): OsInfo {
    return osInfo(this.release, this.runningKernel);
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
    return fsInfo(this.release, readMounts(this.root));
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
    this.newAgent();
    const life = this.#life;
    this.agentRuns = false;
    this.record.event('agent-restarted', this.name);
    this.time.after(AGENT_RESTART, () => {
      if (this.#life === life) this.agentRuns = true;
    });
  }

  protected newAgent(): void {
    this.#processes.end();
    this.#processes = new AgentProcesses(this.root, this.time.factor, this.#speaks === '12');
    this.#life += 1;
    this.putAgentLife();
    refreshLocks(this.root);
  }

  /** What waits in the machine for a restart of the agent reads here that it has happened. */
  protected putAgentLife(): void {
    put(this.root, '/.machine/agent-life', `${this.#life}\n`);
  }

  #permit(command: string): void {
    if (!this.agentAnswers) throw new AgentError('QEMU guest agent is not running');
    const frozen = this.agent.frozen && !FROZEN_COMMANDS.includes(command);
    const blocked = !this.agent.execAllowed && command.startsWith('guest-exec');
    if (!frozen && !blocked) return;
    // The agent of Debian 13 does not say which of the two it is.
    const why =
      this.#speaks === '12'
        ? frozen
          ? ': the agent is in frozen state'
          : ''
        : ': the command is not allowed';
    throw new AgentError(`Command ${command} has been disabled${why}`);
  }

  /** Whose words its agent uses: those of Debian 12 or of Debian 13. */
  get #speaks(): '12' | '13' {
    return this.release.debian.id === '12' ? '12' : '13';
  }

  /** Stops its children in their tracks, or lets them continue. */
  protected signalChildren(signal: 'SIGSTOP' | 'SIGCONT'): void {
    this.#processes.signal(signal);
  }

  /** Its children die with it, and its answers cease. */
  protected endAgent(): void {
    this.agentRuns = false;
    this.#processes.end();
  }

  #writeUptime(): void {
    const uptime = Math.max(0, Date.now() / 1000 - this.bootedAt).toFixed(2);
    put(this.root, '/proc/uptime', `${uptime} ${uptime}\n`);
  }

  #log(unit: string, text: string): void {
    writeJournal(this.root, { bootId: this.bootId, unit }, text);
  }
}
