import { z } from 'zod';
import { Outdated } from '../fault.js';
import { ALLOW_TAGS, pveToken, type TokenFacts } from './account.js';
import { Agent } from './agent.js';
import { Client, Nothing, Time } from './client.js';
import { ApiFault } from './failure.js';
import { GuestConsole } from './guest-console.js';
import { GuestPlaces } from './guest-places.js';
import * as answers from './pve-answers.js';
import { at, type Server } from './request.js';
import { LogLines, type TaskState, TaskStatus, Upid } from './tasks.js';

export type {
  BackupJob,
  GuestConfig,
  HaManager,
  NodeOverview,
  PveGuest,
  PveNode,
  PveStorage,
  PveTask,
} from './pve-answers.js';

/** More running tasks than any node has; 0 would mean none at all. */
const ALL_TASKS = 1000;
const SLOW_MS = 60_000;

/**
 * One PVE cluster: a method for each endpoint that is used. Guests are found by id: where one has moved
 * meanwhile, it is looked up again.
 * Every method throws ApiFault (see failure.ts), and Fault `net.untrusted` for a certificate that is not accepted.
 * Times are epoch seconds.
 */
export class Pve extends Client {
  readonly cluster: string;
  readonly agent: Agent;
  /** Screens and serial consoles of guests. */
  readonly console: GuestConsole;
  readonly #places: GuestPlaces;

  constructor(cluster: string, server: Server) {
    super(server);
    this.cluster = cluster;
    this.#places = new GuestPlaces(cluster, () =>
      this.get('/cluster/resources', z.array(answers.Guest), { parameters: { type: 'vm' } }),
    );
    this.agent = new Agent(server, this.#places);
    this.console = new GuestConsole(server, this.#places);
  }

  /** `https://host:port` of the node that answered last. */
  get address(): string {
    return this.server.address;
  }

  /** Until when a token is accepted. */
  tokenFacts(tokenId: string): Promise<TokenFacts> {
    return this.look(pveToken(tokenId));
  }

  /** Of the node that answers. */
  version(): Promise<{ version: string; major: number }> {
    return this.get('/version', answers.Version);
  }

  clusterStatus(): Promise<answers.ClusterStatus> {
    return this.get('/cluster/status', answers.ClusterStatus);
  }

  /** Tags and lock are live; status and name are up to five minutes old where a node is down. */
  guests(): Promise<answers.PveGuest[]> {
    return this.#places.list();
  }

  nodesOverview(): Promise<answers.NodeOverview[]> {
    return this.get('/cluster/resources', z.array(answers.NodeOverview), { parameters: { type: 'node' } });
  }

  /** Empty also for a token without Sys.Audit on "/": PVE leaves them out. */
  clusterOptions(): Promise<z.output<typeof answers.Options>> {
    return this.get('/cluster/options', answers.Options);
  }

  async registeredTags(): Promise<string[]> {
    return (await this.clusterOptions()).registeredTags;
  }

  /** Replaces the whole list, whatever it has become since it was read: PVE compares nothing here. */
  setRegisteredTags(tags: readonly string[]): Promise<void> {
    // Neither an empty text nor a list is accepted.
    const parameters =
      tags.length === 0 ? { delete: 'registered-tags' } : { 'registered-tags': tags.join(';') };
    return this.server
      .ask({ method: 'PUT', path: '/cluster/options', parameters }, Nothing)
      .catch((error) => Promise.reject(tagFault(this.cluster, 'The registered tags', error)));
  }

  /** What the nodes last reported; the list of an offline node is as old as its last word. */
  clusterTasks(): Promise<answers.PveTask[]> {
    return this.get('/cluster/tasks', z.array(answers.Task));
  }

  async runningTasks(node: string): Promise<answers.PveTask[]> {
    const parameters = { source: 'active', limit: ALL_TASKS };
    const tasks = await this.get(at`/nodes/${node}/tasks`, z.array(answers.Task), { parameters });
    return tasks.filter(({ endedAt, status }) => endedAt === null && status === null);
  }

  /** @throws ApiFault `api.missing` or `api.refused` for a task that the node does not know */
  taskState(node: string, upid: string): Promise<TaskState> {
    return this.get(at`/nodes/${node}/tasks/${upid}/status`, TaskStatus);
  }

  /** The first lines of a task's log; here the offset counts from 0. */
  async taskLogHead(node: string, upid: string, lines: number): Promise<string[]> {
    const parameters = { start: 0, limit: lines };
    const head = await this.get(at`/nodes/${node}/tasks/${upid}/log`, LogLines, { parameters });
    return head.map(({ t }) => t);
  }

  /** Tasks of a type that have ended and were started since, newest first. */
  nodeTasksFinished(
    node: string,
    { type, since, limit }: { readonly type: string; readonly since: number; readonly limit: number },
  ): Promise<answers.PveTask[]> {
    const parameters = { source: 'archive', typefilter: type, since: Math.floor(since), limit };
    return this.get(at`/nodes/${node}/tasks`, z.array(answers.Task), { parameters });
  }

  async haManager(): Promise<answers.HaManager> {
    const [manager, armed] = await Promise.all([
      this.get('/cluster/ha/status/manager_status', answers.HaManagerStatus),
      this.get('/cluster/ha/status/current', answers.HaArmed),
    ]);
    return { ...manager, armed };
  }

  backupJobs(): Promise<answers.BackupJob[]> {
    return this.get('/cluster/backup', z.array(answers.BackupJob));
  }

  /** Ids of the guests that a job backs up: pool, "all" and exclusions resolved by the server. */
  jobGuests(id: string): Promise<number[]> {
    return this.get(at`/cluster/backup/${id}/included_volumes`, answers.IncludedVolumes);
  }

  /** The next moments of a schedule after `start`, in the time zone of the node that answers. */
  scheduleRuns(schedule: string, start: number, iterations: number): Promise<number[]> {
    const parameters = { schedule, starttime: Math.floor(start), iterations };
    return this.get('/cluster/jobs/schedule-analyze', answers.ScheduleRuns, { parameters });
  }

  storages(): Promise<answers.PveStorage[]> {
    return this.get('/storage', z.array(answers.Storage));
  }

  /** Whether a node reaches a storage and is let in, as it says itself: it asks the PBS behind it. */
  async storageActive(node: string, storage: string): Promise<boolean> {
    const parameters = { storage, content: 'backup' };
    const [found] = await this.get(at`/nodes/${node}/storage`, z.array(answers.StorageStatus), {
      parameters,
    });
    return found?.active ?? false;
  }

  /** Where jobs without a storage write to on this node; null: not set. */
  vzdumpStorage(node: string): Promise<string | null> {
    return this.get(at`/nodes/${node}/vzdump/defaults`, answers.VzdumpDefaults);
  }

  nodeStatus(node: string): Promise<answers.NodeStatus> {
    return this.get(at`/nodes/${node}/status`, answers.NodeStatus);
  }

  nodeTime(node: string): Promise<Time> {
    return this.get(at`/nodes/${node}/time`, Time);
  }

  /** The clock of the node that a guest is on. */
  guestNodeTime(vmid: number): Promise<Time> {
    return this.#places.on(vmid, (_, node) => this.nodeTime(node));
  }

  nodePackages(node: string): Promise<answers.NodePackage[]> {
    return this.get(at`/nodes/${node}/apt/versions`, z.array(answers.NodePackage), { limitMs: SLOW_MS });
  }

  /** Null when there is none, or the token lacks VM.Audit on it. */
  findGuest(vmid: number): Promise<answers.PveGuest | null> {
    return this.#places.find(vmid);
  }

  /** With the changes that wait for the next start of the VM. */
  guestConfig(vmid: number): Promise<answers.GuestConfig> {
    return this.#places.on(vmid, (path) => this.get(`${path}/config`, answers.GuestConfig));
  }

  /** Without them: what the running VM was started with. */
  guestConfigInUse(vmid: number): Promise<answers.GuestConfig> {
    const parameters = { current: 1 };
    return this.#places.on(vmid, (path) => this.get(`${path}/config`, answers.GuestConfig, { parameters }));
  }

  /**
   * Replaces the tags of a guest if its config still has this digest.
   * @throws Outdated (it has not); Fault `pve.guest-locked` (backup, snapshot …), `pve.no-quorum`, `outcome.unknown` (look for your own tag)
   */
  async setGuestTags(vmid: number, tags: readonly string[], digest: string): Promise<void> {
    if (digest === '') throw new RangeError('without a digest the server would not compare anything');
    // An empty value would be stored as a blank tag.
    const change = tags.length === 0 ? { delete: 'tags' } : { tags: tags.join(';') };
    const parameters = { ...change, digest };
    try {
      await this.#places.on(vmid, (path) =>
        this.server.ask({ method: 'PUT', path: `${path}/config`, parameters, repeat: 'swap' }, Nothing),
      );
    } catch (error) {
      throw tagFault(this.cluster, `The tags of guest ${vmid}`, error);
    }
  }

  guestStatus(vmid: number): Promise<answers.GuestStatus> {
    return this.#places.on(vmid, (path) => this.get(`${path}/status/current`, answers.GuestStatus));
  }

  /** Starts a VM that is stopped, once. @returns the UPID */
  startVm(vmid: number): Promise<string> {
    return this.#switch(vmid, 'start');
  }

  /** Resets a VM, which is like pulling the plug, once. @returns the UPID */
  resetVm(vmid: number): Promise<string> {
    return this.#switch(vmid, 'reset');
  }

  #switch(vmid: number, action: 'start' | 'reset'): Promise<string> {
    const needs = { privilege: 'VM.PowerMgmt', path: `/vms/${vmid}` };
    return this.#places.on(vmid, (path) =>
      this.server.ask({ method: 'POST', path: `${path}/status/${action}`, needs }, Upid),
    );
  }
}

/** Gives the refusals of a guarded tag write codes of their own; everything else passes unchanged. */
function tagFault(cluster: string, whose: string, error: unknown): unknown {
  if (!(error instanceof ApiFault)) return error;
  const notWritten = `${whose} of cluster "${cluster}" were not written`;
  if (error.denied === 'privilege' && /for modifying tag/.test(error.serverWords)) {
    return new ApiFault(
      'api.forbidden',
      `${notWritten}: only administrators may set tags there`,
      error,
      { status: error.status ?? 403, words: error.serverWords },
      {
        denied: 'privilege',
        hint: `Allow it, on any node, or keep the lock in the registered tags ("store": "registered-tag"):\n${ALLOW_TAGS}`,
      },
    );
  }
  const later = (code: string, what: string, hint: string) =>
    new ApiFault(
      code,
      `${notWritten}: ${what}`,
      error,
      { ...(error.status === null ? {} : { status: error.status }), words: error.serverWords },
      { kind: 'later', cause: error, hint },
    );
  // "missmatch" until 2024; the second text is that of containers.
  if (/checksum mis{1,2}match|detected modified configuration/.test(error.serverWords)) {
    return new Outdated('pve.modified', `${notWritten}: its config was changed by another user`, {
      cause: error,
    });
  }
  if (/\b(VM|CT) is locked|can't lock file|got lock( request)? timeout/.test(error.serverWords)) {
    return later(
      'pve.guest-locked',
      error.serverWords,
      'Wait until the backup, snapshot, migration or restart of that guest is through.',
    );
  }
  return error;
}
