import type { Server } from './request.js';
export interface Datastore { readonly name: string; readonly maintenance: Maintenance | null; /** null: not on a removable disk */ readonly mounted: boolean | null }
export interface Maintenance { readonly type: string; readonly message: string | null }
export interface DatastoreUsage { readonly name: string; readonly total: number | null; readonly used: number | null; readonly available: number | null; readonly error: string | null; readonly mounted: boolean | null }
export interface PbsTask { readonly upid: string; readonly type: string; readonly id: string | null; readonly user: string; readonly startedAt: number; readonly endedAt: number | null; readonly status: string | null }
export interface PbsJob { readonly kind: 'garbage-collection' | 'prune' | 'verify' | 'sync' | 'tape'; readonly id: string; readonly store: string; readonly schedule: string | null; readonly disabled: boolean; readonly nextRun: number | null; readonly running: boolean }
export interface PbsPackage { readonly name: string; readonly installed: string | null; readonly candidate: string | null; readonly origin: string | null; readonly note: string | null }
export interface TaskState { readonly running: boolean; readonly exitStatus: string | null }
const todo = (): Promise<never> => Promise.reject(new Error('not written yet'));
export class Pbs {
  constructor(_server: Server) {}
  permissions(_path: string): Promise<ReadonlySet<string>> { return todo(); }
  version(): Promise<{ version: string; release: string }> { return todo(); }
  nodeStatus(): Promise<{ uptimeSeconds: number; kernel: string; root: { total: number; used: number; available: number }; fingerprint: string | null }> { return todo(); }
  time(): Promise<{ epochSeconds: number; timezone: string }> { return todo(); }
  daemonAnswers(): Promise<void> { return todo(); }
  datastores(): Promise<Datastore[]> { return todo(); }
  datastoreUsage(): Promise<DatastoreUsage[]> { return todo(); }
  datastoreConfig(_name: string): Promise<{ path: string; backingDevice: string | null; maintenance: Maintenance | null; digest: string }> { return todo(); }
  setMaintenance(_name: string, _mode: { type: 'read-only' | 'offline'; message: string } | null, _digest: string): Promise<void> { return todo(); }
  activeOperations(_name: string): Promise<{ read: number; write: number }> { return todo(); }
  runningTasks(): Promise<PbsTask[]> { return todo(); }
  recentTasks(_limit: number): Promise<PbsTask[]> { return todo(); }
  taskState(_upid: string): Promise<TaskState> { return todo(); }
  taskLog(_upid: string): Promise<string[]> { return todo(); }
  jobs(): Promise<PbsJob[]> { return todo(); }
  refreshPackages(): Promise<string> { return todo(); }
  updates(): Promise<PbsPackage[]> { return todo(); }
  packages(): Promise<PbsPackage[]> { return todo(); }
  repositories(): Promise<{ errors: { path: string; error: string }[]; warnings: string[]; standard: { handle: string; enabled: boolean | null }[]; enabledUris: string[] }> { return todo(); }
  services(): Promise<{ name: string; state: string; unitState: string }[]> { return todo(); }
  startService(_unit: string): Promise<string> { return todo(); }
  reboot(): Promise<void> { return todo(); }
  probe(_timeoutMs: number, _signal?: AbortSignal): Promise<{ uptimeSeconds: number; kernel: string; epochSeconds: number }> { return todo(); }
  close(): Promise<void> { return todo(); }
}
