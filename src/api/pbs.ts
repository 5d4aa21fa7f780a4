import type { z } from 'zod';
import { utcDay } from '../moment.js';
import type { Look } from './account.js';
import { knock } from './knock.js';
import { type MaintenanceMode, writeMaintenance } from './maintenance-write.js';
import * as answers from './pbs-answers.js';
import * as apt from './pbs-apt-answers.js';
import { type PbsJob, scheduledJobs } from './pbs-jobs.js';
import type { Privilege } from './privileges.js';
import { at, type Request, type Server } from './request.js';
import * as shared from './shared-answers.js';
import * as task from './tasks.js';
import { together } from './together.js';

export type { PbsJob } from './pbs-jobs.js';
export type Datastore = answers.Datastore;
export type DatastoreConfigs = answers.DatastoreConfigs;
export type DatastoreUsage = answers.DatastoreUsage;
export type Maintenance = answers.Maintenance;
export type PbsTask = answers.PbsTask;
export type PbsPackage = apt.PbsPackage;
export type Repositories = apt.Repositories;
export type TaskState = task.TaskState;

/** The server compares the node's name with nothing, and refuses names with dots. */
const NODE = '/nodes/localhost';
/** Some answers take the server longer than a look: package lists are rebuilt, repositories read. */
const SLOW_MS = 60_000;

/**
 * One Proxmox Backup Server: a method for each endpoint that is used.
 * Every method throws ApiFault (see failure.ts), and Fault `net.untrusted` for a certificate that is not accepted.
 * Times are epoch seconds, sizes bytes.
 */
export class Pbs {
  readonly #server: Server;

  constructor(server: Server) {
    this.#server = server;
  }

  /** Privileges of the token on every path that has entries of its own; a path that is not there may inherit some. */
  async listedPermissions(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    const held = await this.#get('/access/permissions', shared.Permissions);
    return new Map(
      Object.entries(held).map(([path, privileges]) => [path, new Set(Object.keys(privileges))]),
    );
  }

  /** Privileges of the token itself on exactly this path, inherited ones included. */
  async permissions(path: string): Promise<ReadonlySet<string>> {
    const held = await this.#get('/access/permissions', shared.Permissions, { parameters: { path } });
    return new Set(Object.keys(held[path] ?? {}));
  }

  /** Of the running proxy: `version` is major.minor, `release` the patch level. */
  readonly version = together<{ version: string; release: string }>(() =>
    this.#get('/version', answers.Version),
  );

  nodeStatus(): Promise<z.output<typeof answers.NodeStatus>> {
    return this.#get(`${NODE}/status`, answers.NodeStatus, audit('/system/status'));
  }

  time(): Promise<{ epochSeconds: number; timezone: string }> {
    return this.#get(`${NODE}/time`, shared.Time);
  }

  /**
   * Asks the root daemon for as little as possible; the proxy alone answers much, but not this.
   * @param limitMs given while waiting for a reboot: one look over a connection of its own
   * @throws Fault `pbs.daemon-down`
   */
  daemonAnswers(limitMs?: number, signal?: AbortSignal): Promise<void> {
    const once = limitMs === undefined ? {} : ({ repeat: 'once', fresh: true, limitMs } as const);
    return this.#get(`${NODE}/journal`, shared.Nothing, {
      parameters: { lastentries: 1 },
      ...once,
      ...(signal ? { signal } : {}),
      ...audit('/system/log'),
    });
  }

  datastores(): Promise<Datastore[]> {
    return this.#get('/admin/datastore', answers.Datastores);
  }

  datastoreUsage(): Promise<DatastoreUsage[]> {
    return this.#get('/status/datastore-usage', answers.DatastoreUsages, { limitMs: SLOW_MS });
  }

  /** The digest covers all datastores of the host: a change to any of them makes it stale. */
  datastoreConfigs(): Promise<answers.DatastoreConfigs> {
    return this.#server.askWhole({ method: 'GET', path: '/config/datastore' }, answers.DatastoreConfigs);
  }

  /**
   * Sets or, with null, clears the maintenance mode. Running operations go on, new ones are refused.
   * @param mode message of at most 64 characters
   * @throws Fault `pbs.modified` when the config is no longer the one with this digest
   */
  setMaintenance(name: string, mode: MaintenanceMode | null, digest: string): Promise<void> {
    return writeMaintenance(this.#server, name, mode, digest);
  }

  activeOperations(name: string): Promise<{ read: number; write: number }> {
    return this.#get(
      at`/admin/datastore/${name}/active-operations`,
      answers.ActiveOperations,
      needs('Datastore.Audit', `/datastore/${name}`),
    );
  }

  /** Every running task that the token may see. No further filter: some of them hide running tasks. */
  readonly runningTasks = together<PbsTask[]>(() =>
    // limit=0 means no limit here; elsewhere it means nothing at all.
    this.#get(`${NODE}/tasks`, answers.Tasks, { parameters: { running: true, limit: 0 } }),
  );

  /** Running ones first, then the last to end. */
  recentTasks(limit: number): Promise<PbsTask[]> {
    return this.#get(`${NODE}/tasks`, answers.Tasks, { parameters: { limit } });
  }

  /** An unknown task is `stopped` with exit status "unknown", not an error. */
  taskState(upid: string): Promise<TaskState> {
    return this.#get(at`/nodes/localhost/tasks/${upid}/status`, task.TaskStatus, {
      // Refused for a moment while the process that ran the task goes away.
      repeat: 'patient-read',
      ...audit('/system/tasks'),
    });
  }

  /** Tells every line of the log so far, in order; none of them is kept. */
  taskLog(upid: string, tell: (line: string) => void): Promise<void> {
    return task.eachLine(
      (start, limit) =>
        this.#get(at`/nodes/localhost/tasks/${upid}/log`, task.LogLines, {
          parameters: { start, limit },
          ...audit('/system/tasks'),
        }),
      tell,
    );
  }

  /** Scheduled work of all five kinds, as far as the token may see it. */
  async jobs(): Promise<PbsJob[]> {
    const [{ version }, tasks] = await Promise.all([this.version(), this.runningTasks()]);
    return scheduledJobs((path, data, more) => this.#get(path, data, more), version, tasks);
  }

  /** Starts `apt-get update`, once. @returns the UPID; a failed repository ends it with warnings, an unreachable mirror even with OK */
  refreshPackages(): Promise<string> {
    return this.#server.ask(
      { method: 'POST', path: `${NODE}/apt/update`, ...needs('Sys.Modify', '/') },
      task.Upid,
    );
  }

  /** Pending updates as far as they are known locally, new dependencies (nothing installed) included. */
  updates(): Promise<PbsPackage[]> {
    return this.#get(`${NODE}/apt/update`, apt.Packages, { limitMs: SLOW_MS, ...audit('/') });
  }

  /** The packages that make up PBS, and all installed kernels. */
  packages(): Promise<PbsPackage[]> {
    return this.#get(`${NODE}/apt/versions`, apt.Packages, { limitMs: SLOW_MS, ...audit('/') });
  }

  repositories(): Promise<Repositories> {
    return this.#get(`${NODE}/apt/repositories`, apt.Repositories, audit('/'));
  }

  services(): Promise<{ name: string; state: string; unitState: string }[]> {
    return this.#get(`${NODE}/services`, answers.Services, audit('/system/services'));
  }

  /** Starts a unit, once. @returns the UPID of a task that lasts as long as starting does */
  startService(unit: string): Promise<string> {
    return this.#server.ask(
      {
        method: 'POST',
        path: at`/nodes/localhost/services/${unit}/start`,
        ...needs('Sys.Modify', `/system/services/${unit}`),
      },
      task.Upid,
    );
  }

  /** What a unit wrote into the host's journal, oldest first. The server reads in its own time zone, so a day is added. */
  async unitLog(unit: string, since: Date): Promise<string[]> {
    const from = utcDay(new Date(since.getTime() - 86_400_000));
    const lines = await this.#get(`${NODE}/syslog`, task.LogLines, {
      // Here 0 would mean no line at all.
      parameters: { service: unit, since: from, limit: task.LOG_PAGE },
      ...audit('/system/log'),
    });
    return lines.map(({ t }) => t).filter((line) => line !== 'no content');
  }

  /** Asks for a reboot, once. Running tasks are killed by it. @throws Fault `outcome.unknown` when the answer was lost: it may well go down */
  reboot(): Promise<void> {
    return this.#server.ask(
      {
        method: 'POST',
        path: `${NODE}/status`,
        parameters: { command: 'reboot' },
        ...needs('Sys.PowerManagement', '/system/status'),
      },
      shared.Nothing,
    );
  }

  /** Whether the host takes connections at all: for the wait for a reboot. */
  knock(limitMs: number): Promise<boolean> {
    return knock(this.#server.address, limitMs);
  }

  /** One look over connections of its own, without a second try: for the wait for a reboot. */
  async probe(
    timeoutMs: number,
    signal?: AbortSignal,
  ): Promise<{ uptimeSeconds: number; kernel: string; epochSeconds: number }> {
    const once = {
      method: 'GET',
      repeat: 'once',
      effect: false,
      fresh: true,
      limitMs: timeoutMs,
      ...(signal ? { signal } : {}),
    } as const;
    const [{ uptimeSeconds, kernel }, { epochSeconds }] = await Promise.all([
      this.#server.ask({ ...once, path: `${NODE}/status`, ...audit('/system/status') }, answers.NodeStatus),
      this.#server.ask({ ...once, path: `${NODE}/time` }, shared.Time),
    ]);
    return { uptimeSeconds, kernel, epochSeconds };
  }

  /** A question of those in account.ts. */
  look<Answer>({ path, answer, parameters = {} }: Look<Answer>): Promise<Answer> {
    return this.#get(path, answer, { parameters });
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #get<Answer>(path: string, data: z.ZodType<Answer>, more: Partial<Request> = {}): Promise<Answer> {
    return this.#server.ask({ ...more, method: 'GET', path }, data);
  }
}

const needs = (privilege: string, path: string): { needs: Privilege } => ({ needs: { privilege, path } });
const audit = (path: string) => needs('Sys.Audit', path);
