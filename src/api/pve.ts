import type { z } from 'zod';
import type { Look } from './account.js';
import { Agent } from './agent.js';
import * as backup from './backup-answers.js';
import * as guest from './guest-answers.js';
import { GuestConsole } from './guest-console.js';
import { GuestPlaces } from './guest-places.js';
import { switchVm } from './power.js';
import * as answers from './pve-answers.js';
import { at, type Request, type Server } from './request.js';
import * as shared from './shared-answers.js';
import { writeTags } from './tag-write.js';
import * as task from './tasks.js';
import { together } from './together.js';

export type { BackupJob, PveStorage } from './backup-answers.js';
export type { GuestConfig, PveGuest } from './guest-answers.js';
export type { HaManager, NodeOverview, PveNode, PveTask } from './pve-answers.js';
export type { TaskState } from './tasks.js';

/** More running tasks than any node has; 0 would mean none at all. */
const ALL_TASKS = 1000;
const SLOW_MS = 60_000;

/**
 * One PVE cluster: a method for each endpoint that is used. Guests are found by id: where one has moved
 * meanwhile, it is looked up anew.
 * Every method throws ApiFault (see failure.ts), and Fault `net.untrusted` for a certificate that is not accepted.
 * Times are epoch seconds.
 */
export class Pve {
  readonly cluster: string;
  readonly agent: Agent;
  /** Screens and serial consoles of guests. */
  readonly console: GuestConsole;
  readonly #server: Server;
  readonly #places: GuestPlaces;

  constructor(cluster: string, server: Server) {
    this.cluster = cluster;
    this.#server = server;
    this.#places = new GuestPlaces(cluster, () => this.guests());
    this.agent = new Agent(server, this.#places);
    this.console = new GuestConsole(server, this.#places);
  }

  /** `https://host:port` of the node that answered last. */
  get address(): string {
    return this.#server.address;
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
    const held = await this.#get('/access/permissions', shared.Permissions, { path });
    return new Set(Object.keys(held[path] ?? {}));
  }

  /** Of the node that answers. */
  version(): Promise<{ version: string; major: number }> {
    return this.#get('/version', answers.Version);
  }

  clusterStatus(): Promise<z.output<typeof answers.ClusterStatus>> {
    return this.#get('/cluster/status', answers.ClusterStatus);
  }

  /** Tags and lock are live; status and name are up to five minutes old where a node is down. */
  readonly guests = together<guest.PveGuest[]>(() =>
    this.#get('/cluster/resources', guest.Guests, { type: 'vm' }),
  );

  nodesOverview(): Promise<answers.NodeOverview[]> {
    return this.#get('/cluster/resources', answers.NodesOverview, { type: 'node' });
  }

  /** Empty also for a token without Sys.Audit on "/": PVE leaves them out. */
  registeredTags(): Promise<string[]> {
    return this.#get('/cluster/options', answers.Options);
  }

  /** Replaces the whole list, whatever it has become since it was read: PVE compares nothing here. */
  setRegisteredTags(tags: readonly string[]): Promise<void> {
    // Neither an empty text nor a list is accepted.
    const parameters =
      tags.length === 0 ? { delete: 'registered-tags' } : { 'registered-tags': tags.join(';') };
    return this.#server.ask({ method: 'PUT', path: '/cluster/options', parameters }, shared.Nothing);
  }

  /** What the nodes last reported; the list of an offline node is as old as its last word. */
  clusterTasks(): Promise<answers.PveTask[]> {
    return this.#get('/cluster/tasks', answers.Tasks);
  }

  async runningTasks(node: string): Promise<answers.PveTask[]> {
    const tasks = await this.#get(at`/nodes/${node}/tasks`, answers.Tasks, {
      source: 'active',
      limit: ALL_TASKS,
    });
    return tasks.filter(({ endedAt, status }) => endedAt === null && status === null);
  }

  /** @throws ApiFault `api.missing` or `api.refused` for a task that the node does not know */
  taskState(node: string, upid: string): Promise<task.TaskState> {
    return this.#get(at`/nodes/${node}/tasks/${upid}/status`, task.TaskStatus);
  }

  /** The first lines of a task's log; here the offset counts from 0. */
  async taskLogHead(node: string, upid: string, lines: number): Promise<string[]> {
    const head = await this.#get(at`/nodes/${node}/tasks/${upid}/log`, task.LogLines, {
      start: 0,
      limit: lines,
    });
    return head.map(({ t }) => t);
  }

  /** Tasks of a type that have ended and were started since, newest first. */
  nodeTasksFinished(
    node: string,
    { type, since, limit }: { readonly type: string; readonly since: number; readonly limit: number },
  ): Promise<answers.PveTask[]> {
    const parameters = { source: 'archive', typefilter: type, since: Math.floor(since), limit };
    return this.#get(at`/nodes/${node}/tasks`, answers.Tasks, parameters);
  }

  async haManager(): Promise<answers.HaManager> {
    const [manager, armed] = await Promise.all([
      this.#get('/cluster/ha/status/manager_status', answers.HaManagerStatus),
      this.#get('/cluster/ha/status/current', answers.HaStatus),
    ]);
    return { ...manager, armed };
  }

  backupJobs(): Promise<backup.BackupJob[]> {
    return this.#get('/cluster/backup', backup.BackupJobs);
  }

  /** Ids of the guests that a job backs up: pool, "all" and exclusions resolved by the server. */
  jobGuests(id: string): Promise<number[]> {
    return this.#get(at`/cluster/backup/${id}/included_volumes`, backup.IncludedVolumes);
  }

  /** The next moments of a schedule after `start`, in the time zone of the node that answers. */
  scheduleRuns(schedule: string, start: number, iterations: number): Promise<number[]> {
    const parameters = { schedule, starttime: Math.floor(start), iterations };
    return this.#get('/cluster/jobs/schedule-analyze', backup.ScheduleRuns, parameters);
  }

  storages(): Promise<backup.PveStorage[]> {
    return this.#get('/storage', backup.Storages);
  }

  /** Where jobs without a storage write to on this node; null: not set. */
  vzdumpStorage(node: string): Promise<string | null> {
    return this.#get(at`/nodes/${node}/vzdump/defaults`, backup.VzdumpDefaults);
  }

  nodeStatus(node: string): Promise<{ uptimeSeconds: number; kernel: string; version: string }> {
    return this.#get(at`/nodes/${node}/status`, answers.NodeStatus);
  }

  nodeTime(node: string): Promise<{ epochSeconds: number; timezone: string }> {
    return this.#get(at`/nodes/${node}/time`, shared.Time);
  }

  /** The clock of the node that a guest is on. */
  guestNodeTime(vmid: number): Promise<{ epochSeconds: number; timezone: string }> {
    return this.#places.on(vmid, (_, node) => this.nodeTime(node));
  }

  nodePackages(node: string): Promise<z.output<typeof answers.NodePackages>> {
    return this.#server.ask(
      { method: 'GET', path: at`/nodes/${node}/apt/versions`, limitMs: SLOW_MS },
      answers.NodePackages,
    );
  }

  /** Null when there is none, or the token lacks VM.Audit on it. */
  findGuest(vmid: number): Promise<guest.PveGuest | null> {
    return this.#places.find(vmid);
  }

  guestConfig(vmid: number): Promise<guest.GuestConfig> {
    return this.#places.on(vmid, (path) => this.#get(`${path}/config`, guest.GuestConfig));
  }

  /**
   * Replaces the tags of a guest if its config still has this digest.
   * @throws Fault `pve.modified` (it has not), `pve.guest-locked` (backup, snapshot …), `outcome.unknown` (look for your own tag)
   */
  setGuestTags(vmid: number, tags: readonly string[], digest: string): Promise<void> {
    return writeTags(this.#server, this.#places, { cluster: this.cluster, vmid, tags, digest });
  }

  guestStatus(vmid: number): Promise<z.output<typeof guest.GuestStatus>> {
    return this.#places.on(vmid, (path) => this.#get(`${path}/status/current`, guest.GuestStatus));
  }

  /** Starts a VM that is stopped, once. @returns the UPID */
  startVm(vmid: number): Promise<string> {
    return switchVm(this.#server, this.#places, vmid, 'start');
  }

  /** Resets a VM, which is like pulling the plug, once. @returns the UPID */
  resetVm(vmid: number): Promise<string> {
    return switchVm(this.#server, this.#places, vmid, 'reset');
  }

  /** A question of those in account.ts. */
  look<Answer>({ path, answer, parameters }: Look<Answer>): Promise<Answer> {
    return this.#get(path, answer, parameters);
  }

  close(): Promise<void> {
    return this.#server.close();
  }

  #get<Answer>(path: string, data: z.ZodType<Answer>, given: Request['parameters'] = {}): Promise<Answer> {
    return this.#server.ask({ method: 'GET', path, parameters: given }, data);
  }
}
