import { CARRIERS, PROTECTED } from './protected.js';

/** What the upgrade on the host is to do. */
export interface UpgradeOrder {
  readonly repairDpkg: boolean;
  /** It ends with the repair. */
  readonly only?: 'repair';
  readonly cleanup: boolean;
  /** Of the policy; what is built in is protected as well. */
  readonly protectedPackages: readonly string[];
  /** What the upgrade itself may remove: names, or `allow` for anything that is not protected. None without it. */
  readonly removals?: 'allow' | 'approved' | readonly string[];
  /** The only plan that may be carried out; without it any that removes nothing else. */
  readonly planDigest?: string | null;
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

/** Exit codes of the script beside apt's own. But for the first, nothing has been changed. */
export const UPGRADE_EXIT = {
  repairFailed: 81,
  simulationFailed: 82,
  removesProtected: 83,
  pveNode: 84,
  majorRelease: 85,
  removesMore: 86,
  planChanged: 87,
  busy: 88,
} as const;

/** Of a unit that PBS starts only "exit status: 1" is known, so the script writes its own codes. */
const BEGIN = 'pbs-ctl-begin';
/** Written with it: an older script than this may not refuse all that it must. */
export const SCRIPT_VERSION = 3;
/** What it is about to do follows, a change a line. */
export const PLAN_LINE = 'pbs-ctl-plan ';

/** The code that the script wrote the last time it ran; null where it wrote none. */
export function refusalIn(lines: readonly string[]): number | null {
  const begun = lines.findLastIndex((line) => line.includes(BEGIN));
  const codes = lines.slice(begun + 1).flatMap((line) => /\bpbs-ctl-exit (\d+): /.exec(line)?.[1] ?? []);
  return codes.length > 0 ? Number(codes.at(-1)) : null;
}

/** The version of the script that ran last; null where nothing of a script is in the lines, 1 where it named none. */
export function scriptVersionIn(lines: readonly string[]): number | null {
  const last = lines.findLast((line) => line.includes(BEGIN));
  return last === undefined ? null : Number(new RegExp(`${BEGIN} (\\d+)`).exec(last)?.[1] ?? 1);
}

/** As a pattern of `grep -E`, for a name that may end in `*`. */
const pattern = (name: string) => name.replace(/[.+]/g, '[$&]').replace(/\*$/, '.*');
const anyOf = (names: readonly string[]) => `(${names.map(pattern).join('|')})(:[a-z0-9]+)?`;

/** What the steps of the script use. `gone` prints what a simulation removes: name and version. */
const functions = (protectedPackages: readonly string[]) => `${CARRIERS}
sim() { apt-get -s ${NO_PURGE} "$@"; }
gone() { sed -nE 's/^(Remv|Purg) ([^ ]+) \\[([^]]+)\\].*/\\2 \\3/p' "$@"; }
names() { cut -d ' ' -f 1; }
said() { paste -s -d ' '; }
refuse() { echo "pbs-ctl-exit $1: $2"; exit "$1"; }
kept() { grep -Ex '${anyOf([...PROTECTED, ...protectedPackages])}' "$1"; carriers >carriers; sed 's/:[a-z0-9]*$//' "$1" | grep -Fxf carriers; }`;

/** The plan in the words of which the digest is made. */
const CHANGES = `{ sed -nE -e 's/^Inst ([^ ]+) \\[([^]]+)\\] \\(([^ ]+)[ )].*/upgrade \\1 \\2 \\3/p' -e 's/^Inst ([^ ]+) \\(([^ ]+)[ )].*/install \\1 \\2/p' plan; sed 's/^/remove /' removed; sed 's/^/autoremove /' spare; } | LC_ALL=C sort >changes`;

const MAJOR = `major=$(sed -nE 's/^Inst (proxmox-backup-server|base-files) \\[([0-9]+:)?([0-9]+)([^]]*)\\] \\(([0-9]+:)?([0-9]+)([^ )]*)[ )].*/\\1 \\3 \\6 \\3\\4 \\6\\7/p' plan | while read -r name old new from to; do [ "$old" = "$new" ] || echo "$name $from -> $to"; done)`;

/**
 * The script that upgrades, in plain sh. It works in `dir`, where it keeps `plan`, apt's status lines (`status`), and
 * its output in `log`; without `toLog` the output goes where the unit's output goes. What it refuses it refuses
 * before anything has changed, with a line that begins with `pbs-ctl-exit`.
 */
export function upgradeScript(
  { repairDpkg, only, cleanup, protectedPackages, removals = [], planDigest = null }: UpgradeOrder,
  dir: string,
  toLog = true,
): string {
  const allowed = typeof removals === 'string' ? [] : removals;
  const E = UPGRADE_EXIT;
  return [
    toLog ? `exec >>${dir}/log 2>&1 </dev/null` : 'exec </dev/null',
    `cd ${dir} || exit`,
    `echo ${BEGIN} ${SCRIPT_VERSION}`,
    functions(protectedPackages),
    // Its reboot would take every guest down.
    `dpkg-query -W -f='\${db:Status-Abbrev}\\n' pve-manager 2>/dev/null | grep -q '^.i' && refuse ${E.pveNode} 'this machine is a PVE node'`,
    ...(repairDpkg ? repairing(removals === 'allow' ? null : allowed) : []),
    ...(only === 'repair' ? ['exit 0'] : []),
    `sim dist-upgrade >plan || exit ${E.simulationFailed}`,
    'gone plan >removed; names <removed >losing',
    `lost=$(kept losing | sort -u | said); [ -z "$lost" ] || refuse ${E.removesProtected} "the upgrade would remove $lost"`,
    `${MAJOR}; [ -z "$major" ] || refuse ${E.majorRelease} "a major release: $major"`,
    ...(removals === 'allow'
      ? []
      : [
          `more=$(${notAmong(allowed)} | said); [ -z "$more" ] || refuse ${E.removesMore} "the upgrade would remove $more"`,
        ]),
    ...(cleanup
      ? [
          'sim autoremove >now; sim --autoremove dist-upgrade >both; { gone now; gone both; } | sort -u | grep -Fxvf removed >could',
          'names <could >losing; kept losing | sort -u >stays; awk \'FILENAME == "stays" { stays[$1]; next } { name = $1; sub(/:.*/, "", name) } !($1 in stays) && !(name in stays)\' stays could >spare',
        ]
      : [': >spare']),
    CHANGES,
    ...(planDigest === null
      ? []
      : [
          `[ "$(printf %s "$(cat changes)" | sha256sum | names)" = ${planDigest} ] || refuse ${E.planChanged} 'the plan is another one now'`,
        ]),
    ...(toLog ? [] : [`sed 's/^/${PLAN_LINE}/' changes`]),
    `${APT} -o APT::Status-Fd=3 dist-upgrade 3>>status || exit`,
    ...(cleanup ? [AUTOREMOVE, `${APT} autoclean`] : []),
    'exit 0',
  ].join('\n');
}

const notAmong = (allowed: readonly string[]) =>
  allowed.length === 0 ? 'cat losing' : `grep -Exv '${anyOf(allowed)}' losing`;

/**
 * Finishes what an earlier dpkg left half done. dpkg itself does not wait for another one. A package that cannot be
 * configured may only lack what `apt-get -f install` brings.
 */
const repairing = (allowed: readonly string[] | null): string[] => [
  "configure() { dpkg --force-confdef --force-confold --configure -a >configuring 2>&1; configured=$?; cat configuring; [ $configured = 0 ] || ! grep -q 'lock was locked' configuring; }",
  `waited=0; until configure; do [ $waited -lt 60 ] || refuse ${UPGRADE_EXIT.busy} 'another apt or dpkg is at work'; waited=$((waited + 1)); sleep 1; done`,
  `sim -f install >fix || exit ${UPGRADE_EXIT.repairFailed}`,
  `gone fix | names >losing; lost=$(kept losing | sort -u | said); [ -z "$lost" ] || refuse ${UPGRADE_EXIT.removesProtected} "the repair would remove $lost"`,
  ...(allowed === null
    ? []
    : [
        `more=$(${notAmong(allowed)} | said); [ -z "$more" ] || refuse ${UPGRADE_EXIT.removesMore} "the repair would remove $more"`,
      ]),
  `${APT} -o APT::Status-Fd=3 -f install 3>>status || exit ${UPGRADE_EXIT.repairFailed}`,
  `[ $configured = 0 ] || configure || exit ${UPGRADE_EXIT.repairFailed}; [ $configured = 0 ] || exit ${UPGRADE_EXIT.repairFailed}`,
];

/** Takes away what the plan named and nothing else: a kernel that only the new one makes superfluous stays for the next run. */
const AUTOREMOVE = `names <spare >going; sim autoremove >now; gone now | names | grep -Fxvf going >staying; set --
for name in $(sed -e 's/:.*//' -e 's/[.+]/[&]/g' staying); do set -- "$@" -o "APT::NeverAutoRemove::=^$name$"; done
sim "$@" autoremove >now; more=$(gone now | names | grep -Fxvf going | said)
if [ -z "$more" ]; then ${APT} "$@" autoremove; else echo "pbs-ctl: autoremove is left out, it would remove $more"; fi`;

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
