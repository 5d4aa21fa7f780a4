import { createHash } from 'node:crypto';
import { Access } from '../access.js';
import type { LabServer } from '../https.js';
import type { LabRecord } from '../record.js';
import type { LabTime } from '../time.js';
import { pveUpid } from '../upid.js';
import type { PveRoute } from './server.js';
import type {
  PveVersion,
  SimulatedGuest,
  SimulatedJob,
  SimulatedNode,
  SimulatedStorage,
  SimulatedTask,
} from './state.js';

const LOCK_PREFIX = 'pbs-ctl-lock';

export interface PveClusterOptions {
  readonly version: PveVersion;
  readonly time: LabTime;
  readonly record: LabRecord;
  /** Names of its nodes. */
  readonly nodes: readonly string[];
}

/** State of the simulated PVE cluster; scenarios may change any of it at any time. */
export class PveCluster {
  readonly version: PveVersion;
  readonly time: LabTime;
  readonly record: LabRecord;
  readonly access = new Access();
  readonly nodes = new Map<string, SimulatedNode>();
  readonly guests = new Map<number, SimulatedGuest>();
  /** Every endpoint that is played; put there by `simulatedPve`, as are the servers. */
  readonly routes: PveRoute[] = [];
  /** One a node. */
  readonly servers: LabServer[] = [];
  readonly tasks: SimulatedTask[] = [];
  jobs: SimulatedJob[] = [];
  storages: SimulatedStorage[] = [];
  /** Whether a node reaches what a storage leads to, and is let in. */
  reaches: (storage: SimulatedStorage) => boolean = () => true;
  registeredTags: string[] = [];
  tagStyle = { caseSensitive: false, keepsOrder: false };
  /** Who may use which tags; free unless something else was said. */
  userTagAccess: { readonly allow: 'free' | 'existing' | 'list' | 'none'; readonly list: readonly string[] } =
    {
      allow: 'free',
      list: [],
    };
  quorate = true;
  /** Guests whose agent PVE cannot reach until it is restarted. */
  readonly brokenChannels = new Set<number>();

  constructor({ version, time, record, nodes }: PveClusterOptions) {
    this.version = version;
    this.time = time;
    this.record = record;
    record.onEntry((entry) => {
      if (!('kind' in entry) || !['agent-restarted', 'reboot', 'reset'].includes(entry.kind)) return;
      for (const { vmid, name } of this.guests.values())
        if (name === entry.host) this.brokenChannels.delete(vmid);
    });
    for (const name of nodes) {
      this.nodes.set(name, {
        name,
        online: true,
        bootedAt: time.now() - 40 * 86_400,
        clockOffset: 0,
        timezone: 'UTC',
        haMode: 'active',
        packages: packagesOf(version),
      });
    }
  }

  async listen(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.listen()));
  }

  async close(): Promise<void> {
    await Promise.all(this.servers.map((server) => server.close()));
  }

  /** Takes a node away: its endpoint refuses, the others cannot reach it, its running tasks stay listed for ever. */
  takeDown(node: string): void {
    const state = this.nodes.get(node);
    if (state) state.online = false;
    this.servers.find(({ name }) => name === node)?.goDark('refuse');
  }

  /** @param seconds simulated length; null runs until the lab ends */
  startTask(task: {
    node: string;
    type: string;
    id?: string;
    user?: string;
    log?: string[];
    seconds: number | null;
    status?: string;
  }): SimulatedTask {
    const { node, type, id = '', user = 'root@pam', log = [], seconds, status = 'OK' } = task;
    const startedAt = this.time.now();
    const started = {
      upid: pveUpid({ node, type, id, user, startedAt }),
      node,
      type,
      id,
      user,
      startedAt,
      log,
      endedAt: null,
      status: null,
    } as SimulatedTask;
    this.tasks.unshift(started);
    if (seconds !== null) {
      this.time.after(seconds, () => {
        started.endedAt = this.time.now();
        started.status = status;
      });
    }
    return started;
  }

  /** Moves a running guest to another node, under the config lock that a migration takes. */
  migrate(vmid: number, node: string, seconds: number): void {
    const guest = this.guests.get(vmid);
    if (!guest) return;
    guest.config.lock = 'migrate';
    this.startTask({ node: guest.node, type: 'qmigrate', id: String(vmid), seconds });
    this.time.after(seconds, () => {
      guest.node = node;
      delete guest.config.lock;
    });
  }

  /** SHA-1 over the whole config, as the file's digest. */
  digestOf({ config }: SimulatedGuest): string {
    return createHash('sha1')
      .update(JSON.stringify(Object.entries(config).sort()))
      .digest('hex');
  }

  /**
   * Stores tags as PVE does: no duplicates, and lower case and sorted unless the datacenter's tag style
   * says otherwise; and records what became of the lock tag.
   */
  storeTags(guest: SimulatedGuest, tags: readonly string[]): void {
    const before = tagsOf(guest).filter(isLockTag);
    const { caseSensitive, keepsOrder } = this.tagStyle;
    const distinct = [...new Set(caseSensitive ? tags : tags.map((tag) => tag.toLowerCase()))];
    const stored = keepsOrder ? distinct : distinct.sort();
    if (stored.length > 0) guest.config.tags = stored.join(';');
    else delete guest.config.tags;
    const after = stored.filter(isLockTag);
    for (const tag of after)
      if (!before.includes(tag)) this.record.event('lock-tag-set', guest.name, { tag });
    for (const tag of before)
      if (!after.includes(tag)) this.record.event('lock-tag-cleared', guest.name, { tag });
  }
}

export const tagsOf = ({ config }: SimulatedGuest): string[] =>
  String(config.tags ?? '')
    .split(';')
    .filter(Boolean);
/** `user@realm!token` in its two parts. */
export function ownerOf(authId: string): { user: string; tokenid?: string } {
  const [user = '', tokenid] = authId.split('!');
  return { user, ...(tokenid === undefined ? {} : { tokenid }) };
}
const isLockTag = (tag: string) => tag.startsWith(LOCK_PREFIX);

function packagesOf(version: PveVersion): SimulatedNode['packages'] {
  const [manager, kernel] = version === '9.2' ? ['9.2.11', '6.17.4-1'] : ['8.4.14', '6.8.12-15'];
  return [
    { name: 'proxmox-ve', state: 'Installed', version: `${manager.slice(0, 3)}.0` },
    { name: 'pve-manager', state: 'Installed', version: manager },
    { name: `proxmox-kernel-${kernel}-pve-signed`, state: 'Installed', version: kernel },
    { name: 'qemu-server', state: 'Installed', version: version === '9.2' ? '9.2.6' : '8.3.13' },
  ];
}
