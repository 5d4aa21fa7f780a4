import { atUpgrade, carrier, pbs01 } from './parts.js';
import type { Scenario } from './scenario.js';

/** What an administrator has installed who goes by the documentation; what pbs-ctl prints for it is tested elsewhere. */
const UNIT = 'pbs-ctl-upgrade.service';
const SCRIPT = '/usr/local/sbin/upgrade-this-host';
const INSTALLED: ReadonlyArray<readonly [path: string, text: string]> = [
  [
    `/etc/systemd/system/${UNIT}`,
    `[Unit]
Description=Upgrade of this host

[Service]
Type=oneshot
Environment=DEBIAN_FRONTEND=noninteractive
ExecStart=/bin/sh ${SCRIPT}
`,
  ],
  [SCRIPT, '#!/bin/sh\nset -e\napt-get -y dist-upgrade\napt-get -y autoremove\napt-get -y autoclean\n'],
];

/** What the upgrade meets. */
export const UPGRADE: readonly Scenario[] = [
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
    host: { guest: undefined, serves: ['main'], upgrade: { via: 'service', unit: UNIT } },
    arrange: async (lab) => {
      const { access, machine } = pbs01(lab);
      access.grant(`/system/services/${UNIT}`, ['Sys.Modify'], false);
      for (const [path, text] of INSTALLED) await machine.writeFile(path, text);
    },
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
    name: 'vm-halts',
    description: 'the VM halts in the middle of the upgrade: the storage of its disk is full',
    expected: 'failed',
    policy: { upgradeTimeout: '3s' },
    arrange: (lab) => atUpgrade(lab, () => pbs01(lab).machine.halt?.('io-error')),
  },
  {
    name: 'vm-stopped',
    description: 'an administrator stops the VM in the middle of the upgrade',
    expected: 'failed',
    policy: { upgradeTimeout: '3s' },
    arrange: (lab) => atUpgrade(lab, () => pbs01(lab).machine.powerOff?.()),
  },
  {
    name: 'tag-erased',
    description: 'another user saves the tags of the guest in the web UI and erases the lock',
    expected: 'failed',
    arrange: (lab) =>
      lab.record.onEntry((entry) => {
        if ('kind' in entry && entry.kind === 'maintenance-set') lab.cluster.storeTags(carrier(lab), ['pbs']);
      }),
  },
];
