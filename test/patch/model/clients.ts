import type { Pbs } from '../../../src/api/pbs.js';
import type { Pve } from '../../../src/api/pve.js';
import type { Seen, Servers } from './servers.js';

/** What a run changes, in its usual order. */
export const WRITES = ['lock', 'fence', 'refresh', 'upgrade', 'reboot'] as const;
export type Write = (typeof WRITES)[number];

/** Carries a request over, unless something befalls it. `to` says which server has to be there. */
export type Carry = <Answer>(what: 'read' | Write, to: 'pbs' | 'pve', act: () => Answer) => Promise<Answer>;

/** Held, and handed down. */
const EVERYTHING: ReadonlyMap<string, boolean> = new Map(
  'Sys.Audit Sys.Modify Sys.PowerManagement Remote.Audit Tape.Audit Datastore.Audit Datastore.Modify'
    .split(' ')
    .map((privilege) => [privilege, true]),
);
const SIZES = { total: 100, used: 10, available: 90 };

const INDEX = 'index.json.blob';

/** As much of the API of PBS as a run uses that upgrades through a unit. `run` is the one that asks. */
export function pbsClient(servers: Servers, carry: Carry, run: string, seen: Seen): Pbs {
  const read = <Answer>(act: () => Answer) => carry('read', 'pbs', act);
  const write = <Answer>(what: Write, act: () => Answer) => carry(what, 'pbs', act);
  const names = () => [...servers.modes.keys()];
  const taskOf = (upid: string) => servers.tasks.find((task) => task.upid === upid);
  const status = () => ({
    uptimeSeconds: Math.floor(servers.uptime / 1000),
    kernel: '6.14.8-2-pve',
    root: { total: 2 ** 40, used: 0, available: 2 ** 40 },
    fingerprint: null,
  });
  const time = () => ({
    epochSeconds: Math.floor((servers.time + servers.skew) / 1000),
    timezone: 'UTC',
    utcOffset: 0,
  });
  const client = {
    permissions: () => read(() => EVERYTHING),
    listedPermissions: () => read(() => new Map<string, ReadonlyMap<string, boolean>>()),
    tokenFacts: () => read(() => ({ expiresAt: null, userExpiresAt: null })),
    version: () => read(() => ({ version: '4.1', release: '2' })),
    nodeStatus: () => read(status),
    time: () => read(time),
    daemonAnswers: () => read(() => undefined),
    datastores: () =>
      read(() =>
        names().map((name) => ({ name, maintenance: servers.modes.get(name) ?? null, mounted: null })),
      ),
    datastoreUsage: () =>
      read(() =>
        names().map((name) => ({
          name,
          ...SIZES,
          error: servers.sick ? 'cannot be opened' : null,
          mounted: null,
        })),
      ),
    datastoreConfigs: () =>
      read(() => ({
        datastores: names().map((name) => ({
          name,
          path: `/mnt/${name}`,
          maintenance: servers.modes.get(name) ?? null,
          isS3: false,
        })),
        digest: servers.modesDigest,
      })),
    contents: {
      namespaces: () => read(() => ['']),
      groups: () =>
        read(() => [{ type: 'vm', id: '101', owner: 'a@pbs', count: 7, newest: 1000, files: [INDEX] }]),
      files: () => read(() => [{ name: INDEX, size: 1 }]),
      manifest: () => read(() => ({ files: [], verified: null })),
    },
    setMaintenance: (name: string, mode: { type: string; message: string } | null, digest: string) =>
      write('fence', () => servers.setMode(run, name, mode, digest, seen)),
    inUse: () =>
      read(() => ({
        operations: names().map((datastore) => ({ datastore, read: 0, write: servers.backup ? 1 : 0 })),
        lingering: [],
      })),
    runningTasks: () =>
      read(() => {
        const own = servers.tasks.filter((task) => servers.runs(task) && task.type !== 'aptupdate');
        seen.sinceTasks = 0;
        seen.tasks = own.length + (servers.backup ? 1 : 0);
        return [
          ...own.map(({ upid, type }) => ({ upid, type, id: 'pbs-ctl-upgrade.service' })),
          ...(servers.backup ? [{ upid: 'UPID:backup', type: 'backup', id: 'tank:vm/101' }] : []),
        ];
      }),
    recentTasks: () =>
      read(() =>
        servers.tasks.map(({ upid, type, startedAt }) => ({
          upid,
          type,
          id: type === 'srvstart' ? 'pbs-ctl-upgrade.service' : null,
          startedAt: Math.floor((startedAt + servers.skew) / 1000),
        })),
      ),
    taskState: (upid: string) =>
      read(() => {
        servers.settle();
        const task = taskOf(upid);
        if (task && servers.runs(task)) return { running: true, exitStatus: null };
        return { running: false, exitStatus: task && !task.lost ? 'OK' : 'unknown' };
      }),
    taskLog: () => read(() => undefined),
    unitLog: (_: string, since: number) => read(() => servers.unitLines(since)),
    jobs: () => read(() => ({ jobs: [], unknown: null })),
    repositories: () =>
      read(() => ({
        errors: [],
        warnings: [],
        standard: [{ handle: 'enterprise', enabled: true }],
        enabled: [],
      })),
    updates: () =>
      read(() =>
        Array.from({ length: servers.pending }, (_, index) => ({
          name: `package${index}`,
          installed: '1',
          candidate: '2',
        })),
      ),
    packages: () => read(() => [{ name: 'proxmox-backup-server', installed: '4.1.2-1' }]),
    zfsPools: () => read(() => []),
    services: () =>
      read(() => ['proxmox-backup', 'proxmox-backup-proxy'].map((name) => ({ name, state: 'running' }))),
    refreshPackages: () => write('refresh', () => servers.refresh()),
    startService: () => write('upgrade', () => servers.startUpgrade(seen)),
    reboot: () => write('reboot', () => servers.askReboot(run, seen)),
    probe: () => read(() => ({ ...status(), ...time() })),
    close: async () => {},
  };
  return client as unknown as Pbs;
}

/** The guest that carries the lock tag. */
export function pveClient(servers: Servers, carry: Carry, run: string, seen: Seen): Pve {
  const client = {
    cluster: 'main',
    guestConfig: () =>
      carry('read', 'pve', () => {
        const { lockRuns, tags, revision } = servers;
        seen.sinceLock = 0;
        seen.lockIsOwn = lockRuns.length > 0 && lockRuns.every((each) => each === run);
        return { tags: [...tags], digest: String(revision), lock: null };
      }),
    guests: () => carry('read', 'pve', () => [{ vmid: 900, tags: [...servers.tags] }]),
    registeredTags: async () => [],
    clusterOptions: async () => ({ registeredTags: [], userTagAccess: 'free' }),
    setGuestTags: (_: number, tags: string[], digest: string) =>
      carry('lock', 'pve', () => servers.setTags(tags, digest)),
    guestNodeTime: () => carry('read', 'pve', () => ({ epochSeconds: Math.floor(servers.time / 1000) })),
    close: async () => {},
  };
  return client as unknown as Pve;
}
