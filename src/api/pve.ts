import type { TaskState } from './pbs.js';
import type { Server } from './request.js';
export interface PveGuest { readonly vmid: number; readonly type: 'qemu' | 'lxc'; readonly node: string; readonly name: string | null; readonly status: string; readonly tags: string[]; readonly lock: string | null }
export interface PveNode { readonly name: string; readonly online: boolean; readonly local: boolean }
export interface PveTask { readonly upid: string; readonly node: string; readonly type: string; readonly id: string; readonly user: string; readonly startedAt: number; readonly endedAt: number | null; readonly status: string | null }
export interface BackupJob { readonly id: string; readonly enabled: boolean; readonly schedule: string | null; readonly storage: string | null; readonly node: string | null; readonly vmids: number[]; readonly all: boolean; readonly pool: string | null; readonly exclude: number[]; readonly nextRun: number | null; readonly repeatMissed: boolean; readonly comment: string | null }
export interface PveStorage { readonly storage: string; readonly type: string; readonly server: string | null; readonly port: number; readonly datastore: string | null; readonly fingerprint: string | null; readonly disabled: boolean; readonly nodes: string[] | null }
export interface GuestConfig { readonly digest: string; readonly tags: string[]; readonly lock: string | null; readonly agentEnabled: boolean; readonly agentConfigured: boolean; readonly protection: boolean }
export interface NodeOverview { readonly name: string; readonly status: string; readonly haState: string | null; readonly uptimeSeconds: number | null }
export interface HaManager { readonly nodeStatus: Record<string, string>; readonly nodeRequest: Record<string, { maintenance?: boolean }>; readonly lrm: Record<string, { mode: string; state: string; timestamp: number }>; readonly armed: string | null }
export type ExecStatus = { readonly exited: false } | { readonly exited: true; readonly exitCode: number | null; readonly signal: number | null; readonly stdout: string; readonly stderr: string; readonly truncated: boolean };
const todo = (): Promise<never> => Promise.reject(new Error('not written yet'));
export class Pve {
  readonly cluster: string;
  constructor(cluster: string, _servers: readonly Server[]) { this.cluster = cluster; }
  permissions(_path: string): Promise<ReadonlySet<string>> { return todo(); }
  version(): Promise<{ version: string; major: number }> { return todo(); }
  clusterStatus(): Promise<{ quorate: boolean; nodes: PveNode[] }> { return todo(); }
  guests(): Promise<PveGuest[]> { return todo(); }
  nodesOverview(): Promise<NodeOverview[]> { return todo(); }
  registeredTags(): Promise<string[]> { return todo(); }
  setRegisteredTags(_tags: readonly string[]): Promise<void> { return todo(); }
  clusterTasks(): Promise<PveTask[]> { return todo(); }
  runningTasks(_node: string): Promise<PveTask[]> { return todo(); }
  taskState(_node: string, _upid: string): Promise<TaskState> { return todo(); }
  taskLogHead(_node: string, _upid: string, _lines: number): Promise<string[]> { return todo(); }
  nodeTasksFinished(_node: string, _filter: { type: string; since: number; limit: number }): Promise<PveTask[]> { return todo(); }
  haManager(): Promise<HaManager> { return todo(); }
  backupJobs(): Promise<BackupJob[]> { return todo(); }
  jobGuests(_id: string): Promise<number[]> { return todo(); }
  scheduleRuns(_schedule: string, _start: number, _iterations: number): Promise<number[]> { return todo(); }
  storages(): Promise<PveStorage[]> { return todo(); }
  vzdumpStorage(_node: string): Promise<string | null> { return todo(); }
  nodeStatus(_node: string): Promise<{ uptimeSeconds: number; kernel: string; version: string }> { return todo(); }
  nodeTime(_node: string): Promise<{ epochSeconds: number; timezone: string }> { return todo(); }
  nodePackages(_node: string): Promise<{ name: string; state: string | null; installed: string | null; candidate: string | null }[]> { return todo(); }
  findGuest(_vmid: number): Promise<PveGuest | null> { return todo(); }
  guestConfig(_vmid: number): Promise<GuestConfig> { return todo(); }
  setGuestTags(_vmid: number, _tags: readonly string[], _digest: string): Promise<void> { return todo(); }
  guestStatus(_vmid: number): Promise<{ status: string; qmpStatus: string | null; lock: string | null; uptimeSeconds: number; haManaged: boolean }> { return todo(); }
  agentPing(_vmid: number, _timeoutMs?: number): Promise<void> { return todo(); }
  agentInfo(_vmid: number): Promise<{ version: string; commands: Map<string, boolean> }> { return todo(); }
  osInfo(_vmid: number): Promise<{ kernel: string }> { return todo(); }
  exec(_vmid: number, _command: readonly string[]): Promise<number> { return todo(); }
  execStatus(_vmid: number, _pid: number): Promise<ExecStatus> { return todo(); }
  readFile(_vmid: number, _path: string): Promise<string> { return todo(); }
  close(): Promise<void> { return todo(); }
}
