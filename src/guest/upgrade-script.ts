/** What the upgrade on the host is to do. */
export interface UpgradeOrder {
  readonly repairDpkg: boolean;
  readonly cleanup: boolean;
  readonly protectedPackages: readonly string[];
}

/** Whatever apt.conf of the guest says: packages are removed as usual, and simulated in the usual words. */
export const NO_PURGE = '-o APT::Get::Purge=false';

const APT = [
  'apt-get -y -q',
  NO_PURGE,
  '-o DPkg::Lock::Timeout=60',
  '-o Dpkg::Options::=--force-confdef',
  '-o Dpkg::Options::=--force-confold',
].join(' ');

/** A unit begins with next to nothing; apt and the scripts of packages need this much, and no questions. */
export const UPGRADE_ENVIRONMENT: Readonly<Record<string, string>> = {
  HOME: '/root',
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C.UTF-8',
  DEBIAN_FRONTEND: 'noninteractive',
  DEBIAN_PRIORITY: 'critical',
  APT_LISTCHANGES_FRONTEND: 'none',
  NEEDRESTART_SUSPEND: '1',
  UCF_FORCE_CONFFOLD: '1',
};

/** Exit codes of the script beside apt's own. */
export const UPGRADE_EXIT = {
  repairFailed: 81,
  simulationFailed: 82,
  removesProtected: 83,
  pveNode: 84,
} as const;

/** Of a unit that PBS starts only "exit status: 1" is known, so the script writes its own codes. */
const refusal = (code: number, why: string) => `{ echo 'pbs-ctl-exit ${code}: ${why}'; exit ${code}; }`;

const BEGIN = 'pbs-ctl-begin';

/** The code that the script wrote the last time it ran; null where it wrote none. */
export function refusalIn(lines: readonly string[]): number | null {
  const begun = lines.findLastIndex((line) => line.includes(BEGIN));
  const codes = lines.slice(begun + 1).flatMap((line) => /\bpbs-ctl-exit (\d+): /.exec(line)?.[1] ?? []);
  return codes.length > 0 ? Number(codes.at(-1)) : null;
}

/**
 * The script that upgrades, in plain sh. In `dir` it keeps `plan` and apt's status lines (`status`), and
 * its output in `log`; without `toLog` the output goes where the unit's output goes.
 */
export function upgradeScript(
  { repairDpkg, cleanup, protectedPackages }: UpgradeOrder,
  dir: string,
  toLog = true,
): string {
  const names = protectedPackages.map((name) => name.replace(/[.+]/g, '\\$&')).join('|');
  const guard = (verb: string, log: string) =>
    names === ''
      ? `apt-get -s ${NO_PURGE} ${verb} >${log}`
      : `apt-get -s ${NO_PURGE} ${verb} >${log} && ! grep -Eq '^(Remv|Purg) (${names}) ' ${log}`;
  return [
    toLog ? `exec >>${dir}/log 2>&1 </dev/null` : 'exec </dev/null',
    `echo ${BEGIN}`,
    // Its reboot would take every guest down.
    `dpkg-query -W -f='\${db:Status-Abbrev}\\n' pve-manager 2>/dev/null | grep -q '^.i' && ${refusal(UPGRADE_EXIT.pveNode, 'this machine is a PVE node')}`,
    ...(repairDpkg
      ? [`dpkg --force-confdef --force-confold --configure -a || exit ${UPGRADE_EXIT.repairFailed}`]
      : []),
    `apt-get -s ${NO_PURGE} dist-upgrade >${dir}/plan || exit ${UPGRADE_EXIT.simulationFailed}`,
    ...(names === ''
      ? []
      : [
          `grep -Eq '^(Remv|Purg) (${names}) ' ${dir}/plan && ${refusal(UPGRADE_EXIT.removesProtected, 'the upgrade would remove a protected package')}`,
        ]),
    `${APT} -o APT::Status-Fd=3 dist-upgrade 3>>${dir}/status || exit`,
    ...(cleanup
      ? [
          `if ${guard('autoremove', `${dir}/autoremove`)}; then ${APT} autoremove; else echo 'autoremove is left out: it would remove a protected package'; fi`,
          `${APT} autoclean`,
        ]
      : []),
    'exit 0',
  ].join('\n');
}

/** Where the script of a unit that the administrator installs lies. */
const SCRIPT_FILE = '/usr/local/sbin/pbs-ctl-upgrade';

/** The two files that make up the service method: a oneshot unit, and the script that it runs as root. */
export function upgradeFiles(
  unit: string,
  order: UpgradeOrder,
): ReadonlyArray<{ path: string; text: string }> {
  const dir = '/run/pbs-ctl-upgrade';
  const environment = Object.entries(UPGRADE_ENVIRONMENT).map(
    ([name, value]) => `Environment=${name}=${value}`,
  );
  return [
    {
      path: `/etc/systemd/system/${unit}`,
      text: [
        '[Unit]',
        'Description=pbs-ctl upgrade',
        '',
        '[Service]',
        'Type=oneshot',
        'TimeoutStartSec=infinity',
        ...environment,
        `ExecStart=/bin/sh ${SCRIPT_FILE}`,
        '',
      ].join('\n'),
    },
    {
      path: SCRIPT_FILE,
      text: [
        '#!/bin/sh',
        '# Upgrades this host. Started by pbs-ctl through the PBS API, and only so.',
        `rm -rf ${dir}; mkdir -m 0700 ${dir} || exit`,
        upgradeScript(order, dir, false),
        '',
      ].join('\n'),
    },
  ];
}
