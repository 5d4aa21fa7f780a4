import { z } from 'zod';
import { Outdated } from '../fault.js';
import { momentAt } from '../moment.js';
import { pbsExpiry, type TokenFacts } from './account.js';
import { Client, Nothing, Time } from './client.js';
import { Contents } from './contents.js';
import { ApiFault } from './failure.js';
import * as answers from './pbs-answers.js';
import { type PbsJobs, scheduledJobs, syncDirection } from './pbs-jobs.js';
import { at, type Server } from './request.js';
import { hangsInstead, StoreCalls, type StoreLimits, type StoresInUse } from './store-calls.js';
import { eachLine, LOG_PAGE, LogLines, type TaskState, TaskStatus, Upid } from './tasks.js';
import type { Privilege } from './token.js';

export type {
  Datastore,
  DatastoreConfigs,
  DatastoreUsage,
  Maintenance,
  PbsPackage,
  PbsRemote,
  PbsSync,
  PbsTask,
  Repositories,
} from './pbs-answers.js';
export type { PbsJob, PbsJobs } from './pbs-jobs.js';
export { namesStore, type StoresInUse } from './store-calls.js';

export interface MaintenanceMode {
  readonly type: 'read-only' | 'offline';
  /** At most 64 characters. */
  readonly message: string;
}

/** The server compares the node's name with nothing, and refuses names with dots. */
const NODE = '/nodes/localhost';
/** Some answers take the server longer than a look: package lists are rebuilt, repositories read. */
const SLOW_MS = 60_000;

/**
 * One Proxmox Backup Server: a method for each endpoint that is used.
 * Every method throws ApiFault (see failure.ts), and Fault `net.untrusted` for a certificate that is not accepted.
 * Times are epoch seconds, sizes bytes.
 */
export class Pbs extends Client {
  /** What is in its datastores. */
  readonly contents: Contents;
  readonly #stores: StoreCalls;
  readonly #clock: StoreLimits['clock'];

  constructor(server: Server, limits: StoreLimits) {
    super(server);
    this.#clock = limits.clock;
    this.#stores = new StoreCalls(server, limits);
    this.contents = new Contents(server, this.#stores, () => this.runningTasks());
  }

  /** Of the running proxy: `version` is major.minor, `release` the patch level. */
  version(): Promise<{ version: string; release: string }> {
    return this.get('/version', answers.Version);
  }

  /** Until when a token is accepted. */
  async tokenFacts(tokenId: string): Promise<TokenFacts> {
    const { token, user } = pbsExpiry(tokenId);
    const [expiresAt, userExpiresAt] = await Promise.all([
      this.look(token),
      this.look(user).catch((error: unknown) => error as Error),
    ]);
    const separated = true;
    return userExpiresAt instanceof Error
      ? { expiresAt, userExpiresAt: undefined, separated, unknown: userExpiresAt.message }
      : { expiresAt, userExpiresAt, separated };
  }

  nodeStatus(): Promise<z.output<typeof answers.NodeStatus>> {
    return this.get(`${NODE}/status`, answers.NodeStatus, audit('/system/status'));
  }

  time(): Promise<Time> {
    return this.get(`${NODE}/time`, Time);
  }

  /**
   * Asks the root daemon for as little as possible; the proxy alone answers much, but not this.
   * @param limitMs given while waiting for a reboot: one look over a connection of its own
   * @throws Fault `pbs.daemon-down`
   */
  daemonAnswers(limitMs?: number, signal?: AbortSignal): Promise<void> {
    const once = limitMs === undefined ? {} : ({ repeat: 'once', fresh: true, limitMs } as const);
    return this.get(`${NODE}/journal`, Nothing, {
      parameters: { lastentries: 1 },
      ofDaemon: true,
      repeat: 'brief-read',
      ...once,
      ...(signal ? { signal } : {}),
      ...audit('/system/log'),
    });
  }

  datastores(): Promise<answers.Datastore[]> {
    return this.get('/admin/datastore', z.array(answers.Datastore)).then(answers.byName);
  }

  /**
   * How full each datastore is. After {@link inUse}, which knows those that hang.
   * @param names of all datastores
   */
  datastoreUsage(names: readonly string[]): Promise<answers.DatastoreUsage[]> {
    return this.#stores.usage(names, () => this.runningTasks()).then(answers.byName);
  }

  /**
   * Active operations of each datastore; those of before are not requested beside a call that would count as one.
   * @param tasks that run
   * @param _when before the datastores are touched, or after: two questions
   */
  inUse(
    names: readonly string[],
    tasks: readonly answers.PbsTask[],
    _when: 'before' | 'after',
  ): Promise<StoresInUse> {
    return this.#stores.inUse(names, tasks, () => this.runningTasks());
  }

  /** The digest covers all datastores of the host: a change to any of them makes it stale. */
  datastoreConfigs(): Promise<answers.DatastoreConfigs> {
    return this.server.askWhole({ method: 'GET', path: '/config/datastore' }, answers.DatastoreConfigs);
  }

  /**
   * Sets or, with null, clears the maintenance mode. Running operations continue, new ones are refused.
   * @throws Fault `pbs.modified` when the config is no longer the one with this digest
   */
  async setMaintenance(name: string, mode: MaintenanceMode | null, digest: string): Promise<void> {
    if (digest === '') throw new RangeError('without a digest the server would not compare anything');
    const change = mode
      ? { 'maintenance-mode': answers.maintenanceText(mode.type, mode.message) }
      : { delete: 'maintenance-mode' };
    try {
      await this.server.ask(
        {
          method: 'PUT',
          path: at`/config/datastore/${name}`,
          parameters: { ...change, digest },
          repeat: 'swap',
          ...needs('Datastore.Modify', `/datastore/${name}`),
        },
        Nothing,
      );
    } catch (cause) {
      if (!(cause instanceof ApiFault && cause.serverWords.includes('detected modified configuration')))
        throw hangsInstead(this.server.name, cause) ?? cause;
      throw new Outdated(
        'pbs.modified',
        `The datastore config of "${this.server.name}" was changed by another user`,
        {
          cause,
        },
      );
    }
  }

  /** Every running task that the token may see. No further filter: some of them hide running tasks. */
  runningTasks(): Promise<answers.PbsTask[]> {
    // limit=0 means no limit here; elsewhere it means nothing at all.
    return this.get(`${NODE}/tasks`, z.array(answers.Task), { parameters: { running: true, limit: 0 } });
  }

  /** Running ones first, then the last to end. */
  recentTasks(limit: number): Promise<answers.PbsTask[]> {
    return this.get(`${NODE}/tasks`, z.array(answers.Task), { parameters: { limit } });
  }

  /** An unknown task is `stopped` with exit status "unknown", not an error. */
  taskState(upid: string): Promise<TaskState> {
    return this.get(at`/nodes/localhost/tasks/${upid}/status`, TaskStatus, {
      // Refused for a moment while the process that ran the task goes away.
      repeat: 'patient-read',
      ...audit('/system/tasks'),
    });
  }

  /** Tells every line of the log so far, in order; none of them is kept. */
  taskLog(upid: string, tell: (line: string) => void): Promise<void> {
    return eachLine(
      this.#clock,
      (start, limit) =>
        this.get(at`/nodes/localhost/tasks/${upid}/log`, LogLines, {
          parameters: { start, limit },
          ...audit('/system/tasks'),
        }),
      tell,
    );
  }

  /**
   * Scheduled work of all five kinds, as far as the token may see it. After {@link inUse}.
   * @param version of the server, major.minor
   * @param running its running tasks, which alone tell of garbage collection
   * @param names of all datastores
   */
  jobs(version: string, running: readonly answers.PbsTask[], names: readonly string[]): Promise<PbsJobs> {
    const collections = this.#stores.collections(names, () => this.runningTasks());
    return scheduledJobs((path, data, more) => this.get(path, data, more), version, running, collections);
  }

  /** Sync jobs in both directions. @param version of the server, major.minor */
  syncs(version: string): Promise<answers.PbsSync[]> {
    return this.get('/admin/sync', z.array(answers.Sync), syncDirection(version));
  }

  /** Those that the token may see, without Remote.Audit none. */
  remotes(): Promise<answers.PbsRemote[]> {
    return this.get('/config/remote', z.array(answers.Remote));
  }

  /** Starts `apt-get update`, once. @returns the UPID; a failed repository ends it with warnings, an unreachable mirror even with OK */
  refreshPackages(): Promise<string> {
    return this.server.ask({ method: 'POST', path: `${NODE}/apt/update`, ...needs('Sys.Modify', '/') }, Upid);
  }

  /** Pending updates as far as they are known locally, new dependencies (nothing installed) included. */
  updates(): Promise<answers.PbsPackage[]> {
    return this.get(`${NODE}/apt/update`, z.array(answers.Package), { limitMs: SLOW_MS, ...audit('/') });
  }

  /** The packages that make up PBS, and all installed kernels. */
  packages(): Promise<answers.PbsPackage[]> {
    return this.get(`${NODE}/apt/versions`, z.array(answers.Package), { limitMs: SLOW_MS, ...audit('/') });
  }

  repositories(): Promise<answers.Repositories> {
    return this.get(`${NODE}/apt/repositories`, answers.Repositories, audit('/'));
  }

  /** Refused where the host has no ZFS tools. */
  zfsPools(): Promise<z.output<typeof answers.ZfsPool>[]> {
    return this.get(`${NODE}/disks/zfs`, z.array(answers.ZfsPool), {
      ofDaemon: true,
      repeat: 'brief-read',
      ...audit('/system/disks'),
    });
  }

  services(): Promise<{ name: string; state: string; unitState: string }[]> {
    return this.get(`${NODE}/services`, z.array(answers.Service), audit('/system/services'));
  }

  /** Starts a unit, once. @returns the UPID of a task that lasts as long as starting does */
  startService(unit: string): Promise<string> {
    return this.server.ask(
      {
        method: 'POST',
        path: at`/nodes/localhost/services/${unit}/start`,
        ...needs('Sys.Modify', `/system/services/${unit}`),
      },
      Upid,
    );
  }

  /**
   * What a unit wrote into the host's journal, oldest first, and what systemd wrote of it.
   * @param sinceSeconds of the epoch
   * @param utcOffset of the host in seconds: it reads that in its own time
   */
  async unitLog(unit: string, sinceSeconds: number, utcOffset: number): Promise<string[]> {
    const found: string[] = [];
    const [since, service] = [momentAt(sinceSeconds, utcOffset), unit];
    for (let last = 0; ; ) {
      const page = await this.get(`${NODE}/syslog`, LogLines, {
        // Here a limit of 0 would mean no line at all; whether `start` counts from 0 or 1 differs between logs.
        parameters: { service, since, limit: LOG_PAGE, ...(last > 0 ? { start: last } : {}) },
        ...audit('/system/log'),
      });
      const fresh = page.filter(({ n }) => n > last);
      found.push(...fresh.map(({ t }) => t));
      last = fresh.at(-1)?.n ?? last;
      if (page.length < LOG_PAGE || fresh.length === 0) break;
    }
    return found.filter((line) => line !== '-- No entries --');
  }

  /** Asks for a reboot, once. Running tasks are killed by it. @throws Fault `outcome.unknown` when the answer was lost: it may well go down */
  reboot(): Promise<void> {
    return this.server.ask(
      {
        method: 'POST',
        path: `${NODE}/status`,
        parameters: { command: 'reboot' },
        ...needs('Sys.PowerManagement', '/system/status'),
      },
      Nothing,
    );
  }

  /**
   * One look over connections of its own, without a second try: for the wait for a reboot.
   * @param takenMs how long the host may take to accept a connection at all
   */
  async probe(
    timeoutMs: number,
    signal?: AbortSignal,
    takenMs?: number,
  ): Promise<{ uptimeSeconds: number; kernel: string; epochSeconds: number }> {
    const once = {
      method: 'GET',
      repeat: 'once',
      effect: false,
      fresh: true,
      limitMs: timeoutMs,
      ...(takenMs === undefined ? {} : { takenMs }),
      ...(signal ? { signal } : {}),
    } as const;
    // One after the other: a host that is silent gets one connection, not two.
    const { uptimeSeconds, kernel } = await this.server.ask(
      { ...once, path: `${NODE}/status`, ...audit('/system/status') },
      answers.NodeStatus,
    );
    const { epochSeconds } = await this.server.ask({ ...once, path: `${NODE}/time` }, Time);
    return { uptimeSeconds, kernel, epochSeconds };
  }
}

/** What a host is asked before its datastores are touched. */
export async function inUseOf(
  pbs: Pick<Pbs, 'datastores' | 'runningTasks' | 'inUse'>,
  when: 'before' | 'after' = 'before',
): Promise<StoresInUse & { readonly names: readonly string[]; readonly tasks: readonly answers.PbsTask[] }> {
  const [datastores, tasks] = await Promise.all([pbs.datastores(), pbs.runningTasks()]);
  const open = datastores.filter(({ maintenance }) => maintenance?.type !== 'offline');
  const names = open.map(({ name }) => name).sort();
  return { ...(await pbs.inUse(names, tasks, when)), names, tasks };
}

/** How full each datastore of a host is. */
export async function usageOf(
  pbs: Pick<Pbs, 'datastores' | 'runningTasks' | 'inUse' | 'datastoreUsage'>,
): Promise<answers.DatastoreUsage[]> {
  const [datastores] = await Promise.all([pbs.datastores(), unlessRefused(inUseOf(pbs))]);
  return pbs.datastoreUsage(datastores.map(({ name }) => name).sort());
}

/** All jobs of a host, by its version and running tasks. */
export async function jobsOf(
  pbs: Pick<Pbs, 'version' | 'datastores' | 'runningTasks' | 'inUse' | 'jobs'>,
): Promise<PbsJobs> {
  const [{ version }, running, datastores] = await Promise.all([
    pbs.version(),
    pbs.runningTasks(),
    pbs.datastores(),
    unlessRefused(inUseOf(pbs)),
  ]);
  const names = datastores.map(({ name }) => name).sort();
  return pbs.jobs(version, running, names);
}

/** Without the right to see who uses datastores it is not known which one hangs; they may still be asked. */
const unlessRefused = (asked: Promise<unknown>) =>
  asked.catch((error: unknown) => {
    if (!(error instanceof ApiFault && error.status !== null)) throw error;
  });

const needs = (privilege: string, path: string): { needs: Privilege } => ({ needs: { privilege, path } });
const audit = (path: string) => needs('Sys.Audit', path);
