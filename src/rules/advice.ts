import type { Cause, CauseKind } from './causes.js';

/** A cause in words, and what to do. A command stands on a line of its own. */
interface Advice {
  /** What it means: one clause, without a full stop. */
  readonly means: string;
  readonly hint: string;
}

/** What is known of the host beside the words of apt. */
interface Around {
  readonly host: string;
  /** The file that names the enterprise repository; null where it is not known. */
  readonly enterpriseFile: string | null;
}

const of = (what: string, otherwise: string) => (what === '' ? otherwise : what);

const ADVICE: Readonly<Record<CauseKind, (what: string, around: Around) => Advice>> = {
  'no-subscription': (_, { host, enterpriseFile }) => ({
    means: 'the enterprise repository wants a subscription, and this host has none that is valid',
    hint: [
      `On ${host}, enter the key of a subscription:`,
      'proxmox-backup-manager subscription set KEY',
      `Or disable that repository in ${enterpriseFile ?? '/etc/apt/sources.list.d/pbs-enterprise.sources (PBS 3: pbs-enterprise.list)'}, and enable the one that needs none:`,
      'proxmox-backup-debug api set /nodes/localhost/apt/repositories --handle no-subscription',
    ].join('\n'),
  }),
  unauthorized: (what, { host }) => ({
    means: `${of(what, 'a server')} wants a password that it was not given`,
    hint: `On ${host}, put it right in /etc/apt/auth.conf.d, or in the proxy of apt.`,
  }),
  unresolved: (what, { host }) => ({
    means: `the name ${what} cannot be resolved`,
    hint: `On ${host}, look at the name servers and the network:\ngetent hosts ${what}`,
  }),
  unreachable: (what, { host }) => ({
    means: `${of(what, 'a mirror')} cannot be reached`,
    hint: `Look at the network of ${host}: firewall, route, proxy (/etc/apt/apt.conf.d).`,
  }),
  certificate: (what, { host }) => ({
    means: `the certificate of ${of(what, 'a mirror')} is not accepted`,
    hint: `On ${host}, look at ca-certificates and the clock; a proxy that opens TLS?`,
  }),
  unsigned: (what, { host }) => ({
    means: `a repository is not signed, or by a key that ${host} does not accept${what === '' ? '' : ` (${what})`}`,
    hint: 'Install the key of that repository again, as its vendor says (Proxmox: proxmox-archive-keyring, Debian: debian-archive-keyring); never with "trusted=yes".',
  }),
  expired: (what, { host }) => ({
    means: `the release file of ${what} is out of date`,
    hint: `Its mirror is stale, or the clock of ${host} is ahead: choose another mirror, or look at the clock:\ntimedatectl`,
  }),
  'not-yet-valid': (what, { host }) => ({
    means: `the release file of ${what} is not valid yet`,
    hint: `The clock of ${host} is behind:\ntimedatectl`,
  }),
  'changed-release': (what, { host }) => ({
    means: `${of(what, 'a repository')} is of another release now`,
    hint: `Look at what it says; where that is right, on ${host}:\napt-get update --allow-releaseinfo-change`,
  }),
  'mid-sync': (what) => ({
    means: `${of(what, 'a mirror')} is being synchronised`,
    hint: 'It is over by itself: try again later.',
  }),
  'not-found': (what, { host }) => ({
    means: `${of(what, 'a mirror')} does not have a file that was requested`,
    hint: `The lists are older than the mirror, or the repository is gone: run again, and else look at the repositories of ${host}.`,
  }),
  server: (what) => ({
    means: `a mirror answers with an error (${what})`,
    hint: 'Try again later, or choose another mirror.',
  }),
  'lists-locked': (what, { host }) => ({
    means: `${what === '' ? 'another apt' : `process ${what}`} holds the package lists`,
    hint: `Wait until it has ended; it is on ${host}${what === '' ? '' : `:\nps -fp ${/\d+/.exec(what)?.[0] ?? ''}`}`,
  }),
  'dpkg-locked': (what, { host }) => ({
    means: `${what === '' ? 'another apt or dpkg' : `process ${what}`} holds the lock of dpkg`,
    hint: `Wait until it has ended; on ${host}:\nfuser -v /var/lib/dpkg/lock-frontend`,
  }),
  full: (what, { host }) => ({
    means: `no space is left${what === '' ? '' : ` for ${what}`}`,
    hint: `On ${host}, free some (apt-get clean, old kernels, logs):\ndf -h${what.startsWith('/') ? ` ${what.replace(/\/[^/]*$/, '') || '/'}` : ''}`,
  }),
  hook: (what, { host }) => ({
    means: `a hook of apt refused${what === '' ? '' : ` (${what})`}`,
    hint: `Do what it says, on ${host}; the hooks stand in /etc/apt/apt.conf.d.`,
  }),
  interrupted: (_, { host }) => ({ means: 'an earlier dpkg was interrupted', hint: repairHint(host) }),
  script: (what, { host }) => ({
    means: `${of(what, 'a package')} cannot be installed or configured`,
    hint: repairHint(host),
  }),
  unmet: (_, { host }) => ({
    means: 'packages do not fit together',
    hint: `Half-switched release, a held package, or a third repository? On ${host}:\napt-get -s dist-upgrade`,
  }),
};

const repairHint = (host: string) =>
  `Fix what its lines say, then:\npbs-ctl recover --host ${host} --repair-packages`;

/** The first cause decides: what comes after it mostly follows from it. */
export function adviceOf(causes: readonly Cause[], around: Around): Advice | null {
  const [first] = causes;
  return first ? ADVICE[first.kind](first.what, around) : null;
}
