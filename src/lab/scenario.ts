import { upgradeFiles } from '../guest/upgrade-script.js';
import type { Awaitable, GuestMachine } from './guest-machine.js';
import type { Lab as AnyLab } from './lab.js';
import type { MachineSpec } from './machine/spec.js';

type Lab = AnyLab<GuestMachine>;

/** A situation by name: what pbs01 is like, what happens around it, and how `patch` has to end. */
export interface Scenario {
  readonly name: string;
  readonly description: string;
  /** Outcome of `pbs-ctl patch --host pbs01`. */
  readonly expected: 'patched' | 'postponed' | 'failed' | 'unverified';
  /** How the machine of pbs01 differs from a healthy one. */
  readonly machine?: MachineSpec;
  /** Keys of the policy in the lab's config that differ. */
  readonly policy?: Readonly<Record<string, unknown>>;
  /** Keys of pbs01 in the lab's config that differ. */
  readonly host?: Readonly<Record<string, unknown>>;
  /** Changes the lab after it has started, or listens for what happens in it. */
  readonly arrange?: (lab: Lab) => Awaitable<void>;
}

const UPGRADE_UNIT = 'pbs-ctl-upgrade.service';
const TANK = '/mnt/datastore/tank';
const pbs01 = (lab: Lab) => {
  const host = lab.hosts.get('pbs01');
  if (!host) throw new Error('the lab has no pbs01');
  return host;
};
const carrier = (lab: Lab) => {
  const guest = lab.cluster.guests.get(900);
  if (!guest) throw new Error('the lab has no guest 900');
  return guest;
};
const lockTag = (expiresIn: number) =>
  `pbs-ctl-lock+pve-patching+r00001+${Math.floor(Date.now() / 1000) + expiresIn}`;
const localTime = (inSeconds: number) => {
  const at = new Date(Date.now() + inSeconds * 1000);
  return `${String(at.getHours()).padStart(2, '0')}:${String(at.getMinutes()).padStart(2, '0')}`;
};

export const SCENARIOS: readonly Scenario[] = [
  {
    name: 'healthy',
    description: 'nothing stands in the way, eight packages and a kernel wait',
    expected: 'patched',
  },
  {
    name: 'backup-running',
    description: 'a backup writes to a datastore of pbs01',
    expected: 'postponed',
    arrange: (lab) => {
      pbs01(lab).startTask({
        type: 'backup',
        id: 'tank:vm/101',
        store: 'tank',
        access: 'write',
        seconds: null,
      });
      lab.cluster.startTask({
        node: 'pve2',
        type: 'vzdump',
        id: '101',
        log: ['INFO: starting new backup job: vzdump 101 --storage pbs01-tank --mode snapshot'],
        seconds: null,
      });
    },
  },
  {
    name: 'backup-due-soon',
    description: 'a backup job that writes to pbs01 starts in ten minutes',
    expected: 'postponed',
    arrange: (lab) =>
      lab.cluster.jobs.push({
        id: 'backup-soon',
        schedule: localTime(600),
        enabled: true,
        storage: 'pbs01-tank',
        all: true,
      }),
  },
  {
    name: 'pve-patching',
    description: 'a guest carries the tag that says: PVE is being patched',
    expected: 'postponed',
    arrange: (lab) => {
      const guest = lab.cluster.guests.get(101);
      if (guest) lab.cluster.storeTags(guest, ['prod', 'pve-patching']);
    },
  },
  {
    name: 'pve-node-down',
    description: 'a node of the cluster is offline, with a backup that it will never report as ended',
    expected: 'postponed',
    arrange: (lab) => {
      lab.cluster.startTask({ node: 'pve3', type: 'vzdump', seconds: null });
      lab.cluster.takeDown('pve3');
    },
  },
  {
    name: 'lock-held',
    description: 'another owner holds the lock for another hour',
    expected: 'postponed',
    arrange: (lab) => lab.cluster.storeTags(carrier(lab), ['pbs', lockTag(3600)]),
  },
  {
    name: 'lock-expired',
    description: 'somebody left the lock behind, an hour over its time',
    expected: 'postponed',
    arrange: (lab) => lab.cluster.storeTags(carrier(lab), ['pbs', lockTag(-3600)]),
  },
  {
    name: 'repo-broken',
    description: 'a repository answers 401, so apt update ends with a warning',
    expected: 'postponed',
    arrange: (lab) => {
      pbs01(lab).trouble = { refresh: 'warnings' };
    },
  },
  {
    name: 'mirror-unreachable',
    description: 'a mirror cannot be reached, and apt update ends OK all the same',
    expected: 'postponed',
    arrange: (lab) => {
      pbs01(lab).trouble = { refresh: 'err-lines' };
    },
  },
  {
    name: 'nothing-to-upgrade',
    description: 'every package is current; pbs01 is rebooted all the same',
    expected: 'patched',
    machine: { changes: [] },
  },
  {
    name: 'removes-pbs',
    description: 'the upgrade would remove proxmox-backup-server',
    expected: 'postponed',
    machine: { removes: ['proxmox-backup-server'] },
  },
  {
    name: 'dpkg-interrupted',
    description: 'an earlier upgrade was cut off in the middle',
    expected: 'postponed',
    machine: { dpkgInterrupted: true },
  },
  {
    name: 'agent-down',
    description: 'the guest agent does not answer',
    expected: 'postponed',
    machine: { agent: { down: true } },
  },
  {
    name: 'agent-restarts',
    description: 'the guest agent is among the upgrades: it restarts and forgets its pids',
    expected: 'patched',
    machine: { upgradesAgent: true },
  },
  {
    name: 'systemd-restarts',
    description: 'systemd is among the upgrades: for a moment it does not tell how the upgrade stands',
    expected: 'patched',
    machine: {
      changes: [
        { name: 'systemd', from: '257.9-1~deb13u1', to: '257.10-1~deb13u1' },
        { name: 'postfix', from: '3.10.5-1', to: '3.10.6-1' },
      ],
      upgrade: { seconds: 160 },
    },
  },
  {
    name: 'upgrade-by-service',
    description: 'no guest agent: PBS starts a unit that the administrator has installed',
    expected: 'patched',
    machine: { agent: { installed: false }, held: ['openssl'] },
    host: { guest: undefined, serves: ['main'], upgrade: { via: 'service', unit: UPGRADE_UNIT } },
    arrange: async (lab) => {
      const { access, machine } = pbs01(lab);
      access.grant(`/system/services/${UPGRADE_UNIT}`, ['Sys.Modify'], false);
      const order = { repairDpkg: false, cleanup: true, protectedPackages: ['proxmox-backup-server'] };
      for (const { path, text } of upgradeFiles(UPGRADE_UNIT, order)) await machine.writeFile(path, text);
    },
  },
  {
    name: 'disk-full',
    description: 'the root file system has half a gigabyte left',
    expected: 'postponed',
    machine: { root: { totalBytes: 32e9, usedBytes: 31.5e9 } },
  },
  {
    name: 'datastore-offline',
    description: 'somebody set a datastore to maintenance mode offline',
    expected: 'postponed',
    arrange: (lab) => {
      const [datastore] = pbs01(lab).datastores;
      if (datastore) datastore.maintenance = 'offline,message=new disks';
    },
  },
  {
    name: 'mount-missing-after-reboot',
    description: 'the disk of a datastore is gone after the reboot',
    expected: 'unverified',
    machine: { boot: { losesMounts: [TANK] } },
    policy: { rebootTimeout: '16s' },
  },
  {
    name: 'services-slow',
    description: 'services and datastores take their time after the boot',
    expected: 'patched',
    machine: { boot: { servicesSeconds: 20 } },
    arrange: (lab) => {
      pbs01(lab).trouble = { datastoreSeconds: 20, service: { name: 'chrony', seconds: 15 } };
    },
  },
  {
    name: 'service-fails',
    description: 'a service that ran before does not start any more',
    expected: 'unverified',
    machine: { boot: { failsUnits: ['chrony.service'] } },
    policy: { rebootTimeout: '16s' },
    arrange: (lab) => {
      pbs01(lab).trouble = { service: { name: 'chrony', seconds: null } };
    },
  },
  {
    name: 'never-comes-back',
    description: 'the machine stops in emergency mode: running, but nothing answers',
    expected: 'failed',
    machine: { boot: { neverComesBack: 'emergency' } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'stays-off',
    description: 'the machine goes down and its VM stays off',
    expected: 'failed',
    machine: { boot: { neverComesBack: 'stopped' } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'upgrade-fails',
    description: 'the installation script of a package fails',
    expected: 'failed',
    machine: { upgrade: { fails: { package: 'proxmox-backup-server', how: 'postinst' } } },
  },
  {
    name: 'upgrade-slow',
    description: 'the upgrade outlasts its time limit and goes on in the guest',
    expected: 'failed',
    machine: { upgrade: { seconds: 4000 } },
    policy: { upgradeTimeout: '2s' },
  },
  {
    name: 'tag-erased',
    description: 'somebody saves the tags of the guest in the web UI and erases the lock',
    expected: 'failed',
    arrange: (lab) =>
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-set') lab.cluster.storeTags(carrier(lab), ['pbs']);
      }),
  },
  {
    name: 'reboot-answer-lost',
    description: 'the connection breaks before the reboot request is answered',
    expected: 'patched',
    arrange: (lab) => {
      pbs01(lab).trouble = { losesRebootAnswer: true };
    },
  },
  {
    name: 'reboot-swallowed',
    description: 'the reboot request is accepted and nothing happens',
    expected: 'failed',
    machine: { boot: { swallowsReboots: 1 } },
    policy: { rebootTimeout: '8s' },
  },
  {
    name: 'daemon-late',
    description: 'after the boot the proxy answers long before the daemon behind it',
    expected: 'patched',
    arrange: (lab) => {
      pbs01(lab).trouble = { daemonSeconds: 20 };
    },
  },
  {
    name: 'guest-migrating',
    description: 'the VM of pbs01 is moving to another node',
    expected: 'postponed',
    arrange: (lab) => lab.cluster.migrate(900, 'pve2', 3000),
  },
  {
    name: 'token-short-of-privileges',
    description: 'the token may not reboot the host',
    expected: 'postponed',
    arrange: (lab) => pbs01(lab).access.revoke('Sys.PowerManagement'),
  },
];
