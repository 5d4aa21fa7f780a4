import { brokenPackages } from '../guest/apt.js';
import { missingMount, mountOf } from '../guest/mounts.js';
import { ESP_FOLDERS } from '../guest/space.js';
import type { DiskError, Symptoms } from '../guest/symptoms.js';
import type { FindingId } from '../journal/document.js';
import { byCommand, byFlag, type Step, todo } from './steps.js';

/** What the guest shows of trouble, and what that means: the same for preflight, gates, verify, doctor and recover. */
interface Symptom {
  readonly kind: keyof typeof SYMPTOMS;
  /** The check that reports it. */
  readonly check: FindingId;
  /** What was seen, without a full stop. */
  readonly summary: string;
  /** No run begins with it, and none takes a step that cannot be undone. */
  readonly blocks: boolean;
  /** Backups may not resume with it: a fence that is up stays up, and the host is not rebooted unasked. */
  readonly holdsFence: boolean;
  /** What fixes it, in this order. */
  readonly steps: readonly Step[];
}

type Found = Pick<Symptom, 'summary' | 'steps'> & Partial<Pick<Symptom, 'blocks' | 'holdsFence' | 'check'>>;
interface Kind {
  /** Those that may report it; the first does unless it says otherwise. */
  readonly checks: readonly [FindingId, ...FindingId[]];
  readonly blocks: boolean;
  readonly holdsFence: boolean;
  /** @param stores datastore → its folder */
  readonly look: (seen: Symptoms, stores: ReadonlyMap<string, string>) => readonly Found[];
}

/** From the cause to what follows from it. */
const SYMPTOMS = {
  'read-only': { checks: ['pbs.disk', 'pbs.datastores'], blocks: true, holdsFence: true, look: readOnly },
  'disk-errors': { checks: ['pbs.disk'], blocks: true, holdsFence: true, look: diskErrors },
  full: { checks: ['pbs.disk'], blocks: true, holdsFence: false, look: full },
  'not-mounted': { checks: ['pbs.datastores'], blocks: true, holdsFence: true, look: notMounted },
  'apt-at-work': { checks: ['guest.packages'], blocks: true, holdsFence: false, look: aptAtWork },
  'half-configured': { checks: ['guest.packages'], blocks: true, holdsFence: true, look: halfConfigured },
  // Whether backups rest on a unit is for verify to say, which knows what had failed before.
  'failed-units': { checks: ['guest.agent'], blocks: false, holdsFence: false, look: failedUnits },
  passphrase: { checks: ['guest.agent'], blocks: false, holdsFence: false, look: passphrases },
  'must-mount': { checks: ['guest.agent'], blocks: false, holdsFence: false, look: mustMount },
  interfaces: { checks: ['guest.agent'], blocks: false, holdsFence: false, look: missingInterfaces },
} as const satisfies Readonly<Record<string, Kind>>;

/**
 * Everything that is wrong inside, the cause before what follows from it. Pure.
 * @param stores datastore → its folder, as far as known
 */
export const symptomsOf = (seen: Symptoms, stores: ReadonlyMap<string, string>): Symptom[] =>
  KINDS.flatMap((kind) => foundOf(kind, seen, stores));

/** Those that a check reports. */
export const symptomsFor = (
  check: FindingId,
  seen: Symptoms,
  stores: ReadonlyMap<string, string> = new Map(),
): Symptom[] =>
  KINDS.filter((kind) => SYMPTOMS[kind].checks.some((each) => each === check))
    .flatMap((kind) => foundOf(kind, seen, stores))
    .filter((each) => each.check === check);

const KINDS = Object.keys(SYMPTOMS) as ReadonlyArray<keyof typeof SYMPTOMS>;

function foundOf(kind: Symptom['kind'], seen: Symptoms, stores: ReadonlyMap<string, string>): Symptom[] {
  const { look, blocks, holdsFence, checks }: Kind = SYMPTOMS[kind];
  return look(seen, stores).map((found) => ({ check: checks[0], blocks, holdsFence, ...found, kind }));
}

/** Without these a Debian does not work. */
const OF_THE_SYSTEM = /^\/(?:boot|var|usr|tmp|etc)?(?:$|\/(?:efi|lib|log|cache|tmp)(?:\/|$))/;

const storesOn = (target: string, { mounts }: Symptoms, stores: ReadonlyMap<string, string>): string[] =>
  [...stores].flatMap(([name, path]) => (mountOf(path, mounts).target === target ? [name] : []));

/** Its datastores before a mount, where there are any. */
const named = (names: readonly string[], text: string): string =>
  names.length > 0 ? `${names.join(', ')}: ${text}` : text;

const REPAIR: readonly Step[] = [
  byCommand('See what the kernel reports about the disk.', 'journalctl -k -p err'),
  todo('Replace or repair the disk and check the file system; only then reboot.'),
];

function readOnly(seen: Symptoms, stores: ReadonlyMap<string, string>): Found[] {
  const { readOnlyMounts, fstab, mounts } = seen;
  return readOnlyMounts.flatMap((target) => {
    const names = storesOn(target, seen, stores);
    const matters = names.length > 0 || OF_THE_SYSTEM.test(target);
    if (!matters && !fstab.includes(target)) return [];
    const source = mounts.find((each) => each.target === target)?.source ?? '';
    const cause = (seen.diskErrors ?? []).find((each) => isOn(each, source));
    const why = cause
      ? `the kernel has seen errors on its disk (${cause.line})`
      : 'as when the kernel has seen errors on its disk';
    const summary = named(names, `${target} is mounted read-only, ${why}`);
    return [
      {
        summary,
        steps: REPAIR,
        blocks: matters,
        holdsFence: matters,
        ...(names.length > 0 && target !== '/' ? ({ check: 'pbs.datastores' } as const) : {}),
      },
    ];
  });
}

/** `sdb` and `sdb1` are /dev/sdb1; `dm-1` may be any volume. */
const isOn = ({ device, ofFileSystem }: DiskError, source: string): boolean =>
  (ofFileSystem && device.startsWith('dm-')) || source.replace(/^\/dev\//, '').startsWith(device);

/** Of a mount that still takes writes: those of one that does not are part of its line. */
function diskErrors(seen: Symptoms, stores: ReadonlyMap<string, string>): Found[] {
  const { mounts, readOnlyMounts } = seen;
  const errors = seen.diskErrors ?? [];
  const last = new Map(errors.map((each) => [`${each.device} ${each.ofFileSystem}`, each]));
  return [...last.values()].flatMap((error): Found[] => {
    const on = mounts.filter(({ source }) => isOn(error, source));
    if (on.some(({ target }) => readOnlyMounts.includes(target))) return [];
    const carried = on.some(
      ({ target }) => OF_THE_SYSTEM.test(target) || storesOn(target, seen, stores).length > 0,
    );
    // A pool gets by without one of its disks, and says so itself.
    const matters = carried || error.ofFileSystem;
    const names = on.flatMap(({ target }) => storesOn(target, seen, stores));
    const summary = named(names, `the kernel has seen errors on disk ${error.device} (${error.line})`);
    return [{ summary, steps: REPAIR, blocks: matters, holdsFence: matters }];
  });
}

const FULL_BYTES = 50 * 1024 ** 2;

/** Next to nothing is left: of a small one, such as that of the boot loader, a twentieth. */
function full({ space }: Symptoms): Found[] {
  const fullOnes = space.filter(
    ({ target, availableBytes, totalBytes }) =>
      OF_THE_SYSTEM.test(target) && availableBytes < Math.min(FULL_BYTES, totalBytes / 20),
  );
  return fullOnes.map(({ target, availableBytes }) => ({
    summary: `the file system ${target} is full (${Math.floor(availableBytes / 1024 ** 2)} MiB left)`,
    steps: [byCommand('Find what fills it.', `du -xh ${target} | sort -h | tail -n 20`)],
  }));
}

function notMounted(seen: Symptoms, stores: ReadonlyMap<string, string>): Found[] {
  return seen.missingMounts.map((target) => {
    const names = [...stores].flatMap(([name, path]) => (missingMount(path, seen) === target ? [name] : []));
    // A boot loader that is there is not missed before it is written: pbs.disk names it.
    const isEsp = ESP_FOLDERS.some((folder) => folder === target);
    const matters = names.length > 0 || (OF_THE_SYSTEM.test(target) && !isEsp);
    return {
      summary: named(names, `${target} is in fstab and not mounted`),
      steps: [byCommand('Check that the disk is there.', 'lsblk -f'), byFlag(`Mount ${target}.`, 'mount')],
      blocks: matters,
      holdsFence: matters,
    };
  });
}

function aptAtWork({ aptLocks }: Symptoms): Found[] {
  const users = new Map(aptLocks.map((each) => [each.pid, each]));
  return [...users.values()].map(({ pid, process, file }) => ({
    summary: `${process ? `${process} (process ${pid})` : `process ${pid}`} is at work on packages: it holds ${file}`,
    steps: [byCommand('Wait until it has ended; this shows what it is.', `ps -fp ${pid}`)],
  }));
}

/** While another process works on packages, some are always half done. */
function halfConfigured({ audit, aptLocks }: Symptoms): Found[] {
  if (audit === '' || aptLocks.length > 0) return [];
  const names = brokenPackages(audit);
  return [
    {
      summary:
        names.length > 0
          ? `packages are half done: ${names.join(', ')}`
          : `dpkg --audit reports: ${audit.split('\n').slice(0, 2).join(' ').replace(/\s+/g, ' ')}`,
      steps: [byFlag('Finish them (a run does so by itself with policy.repairDpkg).', 'repair-packages')],
    },
  ];
}

function passphrases({ atBoot }: Symptoms): Found[] {
  const names = atBoot?.passphrases ?? [];
  if (names.length === 0) return [];
  return [
    {
      summary: `it asks for a passphrase at its boot (${names.join(', ')} of /etc/crypttab)`,
      steps: [todo('Have someone at its console for the reboot, or give the volume a key (TPM, key file).')],
    },
  ];
}

function mustMount({ atBoot }: Symptoms): Found[] {
  const targets = atBoot?.mustMount ?? [];
  if (targets.length === 0) return [];
  const each = targets.length === 1 ? 'it' : 'one of them';
  return [
    {
      summary: `${targets.join(', ')} in fstab without nofail: where ${each} is missing, the boot stops in emergency mode`,
      steps: [todo('Add nofail to its options in /etc/fstab.')],
    },
  ];
}

function missingInterfaces({ atBoot }: Symptoms): Found[] {
  const missing = atBoot?.missingInterfaces ?? [];
  if (missing.length === 0) return [];
  const there = atBoot?.interfaces.filter((name) => name !== 'lo') ?? [];
  return [
    {
      summary: `/etc/network/interfaces names ${missing.join(', ')}, which is not there (there: ${there.join(', ') || 'none'})`,
      steps: [byCommand('Compare the names of the interfaces with the configuration.', 'ip -br link')],
    },
  ];
}

function failedUnits({ failedUnits: units }: Symptoms): Found[] {
  const [first] = units;
  if (first === undefined) return [];
  return [
    {
      summary: `failed: ${units.join(', ')}`,
      steps: [
        byCommand('See why.', `journalctl -b -u ${first}`),
        byFlag('Restart what failed.', 'restart-services'),
      ],
    },
  ];
}
