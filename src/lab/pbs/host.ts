import { createHash } from 'node:crypto';
import { Access } from '../access.js';
import type { GuestMachine } from '../guest-machine.js';
import type { LabServer } from '../https.js';
import type { PbsRelease } from '../machine/spec.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { pbsUpid } from '../upid.js';
import { DIFFERENCES } from './differences.js';
import { RunningProxy } from './running-proxy.js';
import { ServedCertificate } from './served-certificate.js';
import { PbsError, type PbsRoute, pbsServer } from './server.js';
import {
  type PbsHostOptions,
  type PbsJob,
  type PbsRemote,
  type PbsTask,
  SERVICES,
  type SimulatedDatastore,
} from './state.js';
import { StoreAccess } from './store-access.js';
import { StoreCalls } from './store-calls.js';
import type { PbsTrouble } from './trouble.js';

/** State of a simulated PBS on a machine, simulated or real; its API follows the machine down and up. */
export class PbsHost<M extends GuestMachine = GuestMachine> {
  readonly name: string;
  readonly version: PbsRelease;
  readonly machine: M;
  readonly time: LabTime;
  readonly record: LabRecord;
  readonly access = new Access();
  /** Every endpoint that is played; put there by `simulatedPbs`. */
  readonly routes: PbsRoute[] = [];
  readonly server: LabServer;
  readonly datastores: SimulatedDatastore[] = [];
  readonly stores: StoreAccess;
  readonly storeCalls: StoreCalls;
  readonly tasks: PbsTask[] = [];
  /** Of ZFS pools that are not well. */
  readonly poolHealth = new Map<string, string>();
  readonly services = new Map(SERVICES.map((name) => [name, 'running']));
  jobs: PbsJob[] = [];
  remotes: PbsRemote[] = [
    { name: 'elsewhere', host: 'far.example.net', fingerprint: Array(32).fill('fa').join(':') },
  ];
  repositoryErrors: Array<{ path: string; error: string }> = [];
  trouble: PbsTrouble = {};
  daemonRuns = true;
  datastoresReady = true;
  readonly #proxy: RunningProxy;
  readonly #certificate: ServedCertificate;

  constructor({ name, version, machine, time, record }: PbsHostOptions<M>) {
    this.name = name;
    this.version = version;
    this.machine = machine;
    this.time = time;
    this.record = record;
    this.#proxy = new RunningProxy(machine, record);
    this.server = pbsServer({
      name,
      routes: this.routes,
      access: this.access,
      record,
      time,
      daemonRuns: () => this.daemonRuns,
      differences: DIFFERENCES[version],
    });
    this.#certificate = new ServedCertificate(machine, this.server);
    this.storeCalls = new StoreCalls(this.server);
    this.stores = new StoreAccess({
      time,
      problemOf: (store) => this.problemOf(store),
      stall: (stalled) => this.server.stall(stalled),
    });
    this.#follow();
  }

  /**
   * Begins what a client or a schedule asks for; refused at once on a datastore in maintenance.
   * @param seconds simulated length; null runs until the machine goes down
   */
  startTask(task: {
    type: string;
    id?: string;
    user?: string;
    store?: string;
    access?: 'read' | 'write';
    log?: string[];
    seconds: number | null;
    status?: string;
  }): PbsTask {
    const { type, id = null, user = 'pve@pbs!lab', store = null, access = null, log = [] } = task;
    const { seconds, status = 'OK' } = task;
    const startedAt = this.time.now();
    const upid = pbsUpid({ node: this.name, type, id: id ?? '', user, startedAt });
    const started: PbsTask = {
      ...{ upid, type, id, user, startedAt, store, access, log },
      endedAt: null,
      status: null,
    };
    const refused = access === null ? null : (this.stores.locked ?? this.#refusal(store, access));
    if (refused !== null) {
      // A client is turned away before there is a task.
      this.record.event('refused', this.name, { type, id, store, words: refused });
      return Object.assign(started, { endedAt: startedAt, status: refused });
    }
    this.tasks.unshift(started);
    if (seconds !== null) this.time.after(seconds, () => this.end(started, status));
    return started;
  }

  /** Starts a service of PBS, or a oneshot unit of the administrator. @returns the UPID of the task, which lasts as long */
  startService(service: string, user: string): string {
    const task = this.startTask({ type: 'srvstart', id: service, user, seconds: null });
    if (this.services.has(service)) {
      this.services.set(service, 'running');
      this.end(task, 'OK');
      return task.upid;
    }
    void Promise.resolve(this.machine.startUnit(service)).then((code) => {
      this.end(task, code === 0 ? 'OK' : `systemctl start failed with exit status: ${code === null ? 5 : 1}`);
    });
    return task.upid;
  }

  /** Of the proxy that answers, which is not always the one that is installed. */
  async runningVersion(): Promise<{ readonly version: string; readonly release: string }> {
    return (await this.#proxy.version()) ?? { version: this.version, release: '1' };
  }

  running(): PbsTask[] {
    return this.tasks.filter(({ endedAt }) => endedAt === null);
  }

  /** What the command-line tool changes about privileges counts after up to five seconds. */
  byCommandLine(change: (access: Access) => void): void {
    this.time.after(5, () => change(this.access));
  }

  /** Those that the token may see in lists. */
  visibleDatastores(): SimulatedDatastore[] {
    return this.datastores.filter(({ name }) =>
      ['Datastore.Audit', 'Datastore.Backup'].some((each) => this.access.has(`/datastore/${name}`, each)),
    );
  }

  /** @throws PbsError when there is none of this name */
  datastoreAt(name: unknown): SimulatedDatastore {
    const found = this.datastores.find((store) => store.name === name);
    if (!found) throw new PbsError(`no such datastore '${String(name)}'`);
    return found;
  }

  /** SHA-256 over the whole datastore config: a change of any store changes it. */
  digest(): string {
    return createHash('sha256')
      .update(JSON.stringify(this.datastores.map(({ name, maintenance }) => [name, maintenance])))
      .digest('hex');
  }

  /** Why nothing new may use a datastore this way, in the server's words; what runs goes on. */
  #refusal(store: string | null, access: 'read' | 'write'): string | null {
    const { maintenance = null } = this.datastores.find(({ name }) => name === store) ?? {};
    if (maintenance === null || (access === 'read' && !maintenance.startsWith('offline'))) return null;
    const [mode, message = ''] = maintenance.split(',message=');
    return `datastore '${store}' is unavailable: ${mode} maintenance mode: ${message}`;
  }

  /** Why a datastore cannot be opened, in the server's words; null when it can. One that is open stays so when its disk goes. */
  async problemOf({ name, path, error, trouble }: SimulatedDatastore): Promise<string | null> {
    const closed = this.#refusal(name, 'read');
    if (closed) return closed;
    if (error) return error;
    if (this.stores.isOpen(name) && this.datastoresReady) return null;
    if (trouble === 'path-gone' || !this.datastoresReady || !(await this.mountOf(path)))
      return `unable to open chunk store at "${path}/.chunks" - No such file or directory (os error 2)`;
    return null;
  }

  /** The file system of its own that a path is on, if it has one. */
  async mountOf(path: string) {
    const mounts = await this.machine.mounts();
    return mounts.find((mount) => path === mount.path || path.startsWith(`${mount.path}/`));
  }

  async close(): Promise<void> {
    await this.server.close();
  }

  /** Ends a task that runs. */
  end(task: PbsTask, status: string): void {
    if (task.endedAt !== null) return;
    task.endedAt = this.time.now();
    task.status = status;
    if (task.type === 'srvstart') task.log.push(`TASK ${status === 'OK' ? 'OK' : `ERROR: ${status}`}`);
  }

  /** A new certificate in the file, which the proxy does not serve before its next start or reload. */
  renewCertificate(): Promise<string> {
    return this.#certificate.renew();
  }

  #follow(): void {
    const { machine, server, record, time } = this;
    // What is started inside shows in the API as well.
    record.onEntry((entry) => {
      if (!('kind' in entry) || entry.host !== this.name) return;
      if (entry.kind === 'proxy-reloaded') {
        this.stores.restarted('reload');
        if (this.#certificate.read()) void server.comeBack();
      }
      // `systemctl start` loses its connection; the unit that it waits for runs on.
      if (entry.kind === 'systemd-reexecuting')
        for (const task of this.running())
          if (task.type === 'srvstart') this.end(task, 'systemctl start failed with exit status: 1');
      if (entry.kind !== 'unit-started') return;
      const service = String(entry.detail.unit).replace(/\.service$/, '');
      if (this.services.has(service)) this.services.set(service, 'running');
    });
    machine.on('going-down', () => {
      for (const task of this.running()) {
        if (task.type === 'backup' || task.type === 'reader')
          record.event('harmed', this.name, { type: task.type, id: task.id });
        this.end(task, 'unknown');
      }
      this.stores.restarted('boot');
      this.daemonRuns = false;
      this.datastoresReady = false;
      server.goDark('refuse');
    });
    machine.on('halted', () => server.goDark('drop'));
    machine.on('resumed', () => void server.comeBack());
    machine.on('up', () => {
      const { daemonSeconds = 1, datastoreSeconds = 2, service } = this.trouble;
      if (service) this.services.set(service.name, 'failed');
      const seconds = service?.seconds;
      if (service && seconds != null) time.after(seconds, () => this.services.set(service.name, 'running'));
      this.#certificate.read();
      void server.comeBack();
      record.event('api-up', this.name);
      time.after(daemonSeconds, () => {
        this.daemonRuns = true;
        time.after(datastoreSeconds, () => {
          this.datastoresReady = true;
        });
      });
    });
  }
}
