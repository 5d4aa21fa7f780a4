import { carrier, localTime, lockTag, pbs01 } from './parts.js';
import type { Scenario } from './scenario.js';

/** What is there before a run begins: most of it postpones. */
export const BEFOREHAND: readonly Scenario[] = [
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
    description: 'another run left its lock behind, an hour over its time',
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
    name: 'agent-down',
    description: 'the guest agent does not answer',
    expected: 'postponed',
    machine: { agent: { down: true } },
  },
  {
    name: 'disk-full',
    description: 'the root file system has half a gigabyte left',
    expected: 'postponed',
    machine: { root: { totalBytes: 32e9, usedBytes: 31.5e9 } },
  },
  {
    name: 'datastore-offline',
    description: 'an administrator set a datastore to maintenance mode offline',
    expected: 'postponed',
    arrange: (lab) => {
      const [datastore] = pbs01(lab).datastores;
      if (datastore) datastore.maintenance = 'offline,message=new disks';
    },
  },
  {
    name: 'datastore-hangs',
    description: 'what touches a datastore never comes back, as on a hard NFS mount whose server is gone',
    expected: 'postponed',
    policy: { requestTimeout: '2s' },
    arrange: (lab) => {
      pbs01(lab).datastoreAt('tank').trouble = 'hangs';
    },
  },
  {
    name: 'datastore-path-gone',
    description: 'the folder of a datastore has vanished, and PBS tells the usage of none',
    expected: 'postponed',
    arrange: (lab) => {
      pbs01(lab).datastoreAt('tank').trouble = 'path-gone';
    },
  },
  {
    name: 'pve-without-quorum',
    description: 'the nodes that are left have no quorum, so nothing can be written',
    expected: 'postponed',
    arrange: (lab) => {
      lab.cluster.quorate = false;
    },
  },
  {
    name: 'pve-half-upgraded',
    description: 'one node of the cluster still runs the major release before',
    expected: 'postponed',
    arrange: (lab) => {
      const node = lab.cluster.nodes.get('pve3');
      if (node)
        node.packages = node.packages.map((each) =>
          each.name === 'pve-manager'
            ? { ...each, version: lab.cluster.version === '8.4' ? '7.4.20' : '8.4.14' }
            : each,
        );
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
