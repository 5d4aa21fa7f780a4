import type { Finding } from '../journal/document.js';
import { stepsBack } from '../rules/changed-by-run.js';
import { byCommand, byFlag, type Step, todo } from '../rules/steps.js';
import { symptomsOf } from '../rules/symptoms.js';
import type { ObservedHost } from './observed.js';

type StepsFor = (finding: Finding, observed: ObservedHost) => readonly Step[];

/** What fixes a finding of `verify`, in this order. Pure. */
export const stepsFor: StepsFor = (finding, observed) => {
  const own = Object.entries(STEPS).find(([id]) => id === finding.id)?.[1];
  return own?.(finding, observed) ?? [todo(hintOf(finding) ?? 'Look at the journal of the host.')];
};

const STEPS: Readonly<Partial<Record<Finding['id'], StepsFor>>> = {
  'verify.datastores': (_, { datastores }) => {
    const broken = datastores.filter(({ state }) => state !== 'ok');
    return [
      byCommand('Check that its disk is there.', 'lsblk -f'),
      byCommand(
        'See what PBS knows of it. One that is gone from its config has to be created on the same path again.',
        broken[0]
          ? `proxmox-backup-manager datastore show ${broken[0].name}`
          : 'proxmox-backup-manager datastore list',
      ),
    ];
  },
  'verify.mounts': (_, { inside, stores }) => {
    const symptoms = inside ? symptomsOf(inside, new Map(stores)).filter(({ holdsFence }) => holdsFence) : [];
    if (symptoms.length > 0) return symptoms.flatMap(({ steps }) => steps);
    return [
      byCommand('See what is mounted where.', 'findmnt'),
      todo(
        'Where the boot has mounted what was not mounted before, nothing is wrong now: backups of the meantime lie in the folder below the mount point. Look at them, then answer for it.',
      ),
    ];
  },
  'verify.services': (_, { servicesDown }) => [
    byCommand('See why.', `journalctl -b -u ${servicesDown[0] ?? 'proxmox-backup'}`),
    byFlag('Start it again.', 'restart-services'),
  ],
  'verify.units': (_, { inside }) => [
    byCommand('See why.', `journalctl -b -u ${inside?.failedUnits[0] ?? 'proxmox-backup.service'}`),
    byFlag('Restart what failed.', 'restart-services'),
  ],
  'verify.packages': (_, { inside }) =>
    inside && inside.audit !== ''
      ? [byCommand('Finish them in the guest.', 'dpkg --configure -a')]
      : [
          byCommand(
            'See in the guest what holds the others back, and install them.',
            'apt-get -s dist-upgrade',
          ),
        ],
  'verify.kernel': (_, { changed, vm }) => [
    byCommand(
      'See which kernel the boot loader starts; boot the newest one.',
      'proxmox-boot-tool kernel list',
    ),
    ...stepsBack({ ...changed, kernel: null }, vm?.consoleUrl ?? null),
    todo('An older kernel that is pinned on purpose (proxmox-boot-tool kernel pin) is only a warning.'),
  ],
  'verify.inventory': () => [
    todo(
      'Make sure that the right disk is mounted, and look for the missing backups before anything writes there.',
    ),
    byCommand('See what is mounted where.', 'findmnt'),
  ],
  'verify.storages': (finding, { host }) => [
    todo(hintOf(finding) ?? `Compare password and fingerprint of the storages in PVE with those of ${host}.`),
    byCommand('On a node of that cluster:', 'pvesm status'),
  ],
  'verify.clock': () => [
    byCommand('See whether its time is synchronised.', 'chronyc tracking'),
    byCommand('Set it.', 'systemctl restart chrony.service'),
  ],
};

const hintOf = ({ detail: { hint } }: Finding): string | null => (typeof hint === 'string' ? hint : null);

/** The way to answer for a finding, where one can. */
export const acceptStep = (host: string, { id, acceptable }: Finding): Step[] =>
  acceptable === undefined
    ? []
    : [
        byCommand(
          'If it is meant to be so, answer for it, for this run and for exactly what was found:',
          `pbs-ctl patch --host ${host} --accept ${id}="REASON"`,
        ),
      ];
