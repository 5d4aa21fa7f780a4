import { z } from 'zod';
import { Outdated } from '../fault.js';
import { utcDay } from '../moment.js';
import { Client, Nothing, Time } from './client.js';
import { ApiFault } from './failure.js';
import * as answers from './pbs-answers.js';
import { type PbsJob, scheduledJobs } from './pbs-jobs.js';
import { at } from './request.js';
import { eachLine, LOG_PAGE, LogLines, type TaskState, TaskStatus, Upid } from './tasks.js';
import type { Privilege } from './token.js';

export type {
  Datastore,
  DatastoreConfigs,
  DatastoreUsage,
  Maintenance,
  PbsPackage,
  PbsTask,
  Repositories,
} from './pbs-answers.js';
export type { PbsJob } from './pbs-jobs.js';

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
  /** Of the running proxy: `version` is major.minor, `release` the patch level. */
  version(): Promise<{ version: string; release: string }> {
    return this.get('/version', answers.Version);
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
      ...once,
      ...(signal ? { signal } : {}),
      ...audit('/system/log'),
    });
  }

  datastores(): Promise<answers.Datastore[]> {
    return this.get('/admin/datastore', z.array(answers.Datastore)).then(answers.byName);
  }

  datastoreUsage(): Promise<answers.DatastoreUsage[]> {
    return this.get('/status/datastore-usage', z.array(answers.DatastoreUsage), { limitMs: SLOW_MS }).then(
      answers.byName,
    );
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
        throw cause;
      throw new Outdated(
        'pbs.modified',
        `The datastore config of "${this.server.name}" was changed by another user`,
        {
          cause,
        },
      );
    }
  }

  activeOperations(name: string): Promise<{ read: number; write: number }> {
    return this.get(
      at`/admin/datastore/${name}/active-operations`,
      answers.ActiveOperations,
      needs('Datastore.Audit', `/datastore/${name}`),
    );
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
      (start, limit) =>
        this.get(at`/nodes/localhost/tasks/${upid}/log`, LogLines, {
          parameters: { start, limit },
          ...audit('/system/tasks'),
        }),
      tell,
    );
  }

  /**
   * Scheduled work of all five kinds, as far as the token may see it.
   * @param version of the server, major.minor
   * @param running its running tasks, which alone tell of garbage collection
   */
  jobs(version: string, running: readonly answers.PbsTask[]): Promise<PbsJob[]> {
    return scheduledJobs((path, data, more) => this.get(path, data, more), version, running);
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

  /** What a unit wrote into the host's journal, oldest first. The server reads in its own time zone, so a day is added. */
  async unitLog(unit: string, since: Date): Promise<string[]> {
    const from = utcDay(new Date(since.getTime() - 86_400_000));
    const lines = await this.get(`${NODE}/syslog`, LogLines, {
      // Here 0 would mean no line at all.
      parameters: { service: unit, since: from, limit: LOG_PAGE },
      ...audit('/system/log'),
    });
    return lines.map(({ t }) => t).filter((line) => line !== '-- No entries --');
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

/** All jobs of a host, by what it says of its version and of its running tasks. */
export async function jobsOf(pbs: Pick<Pbs, 'version' | 'runningTasks' | 'jobs'>): Promise<PbsJob[]> {
  const [{ version }, running] = await Promise.all([pbs.version(), pbs.runningTasks()]);
  return pbs.jobs(version, running);
}

const needs = (privilege: string, path: string): { needs: Privilege } => ({ needs: { privilege, path } });
const audit = (path: string) => needs('Sys.Audit', path);
