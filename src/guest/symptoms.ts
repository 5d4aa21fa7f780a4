import { brokenIn } from './apt.js';
import { type AptLock, LOCKS, readLocks } from './apt-locks.js';
import { AT_BOOT_PARTS, type AtBoot, readAtBoot } from './at-boot.js';
import { firstWords, lines, type readParts } from './exec.js';
import { type Mount, readFstab, readMounts } from './mounts.js';

/** What a look into the guest shows of trouble. Facts only: rules/symptoms.ts says what each of them means. */
export interface Symptoms {
  readonly failedUnits: readonly string[];
  readonly mounts: ReadonlyArray<Mount & { readonly fstype: string }>;
  /** Mount points that /etc/fstab wants mounted at boot. */
  readonly fstab: readonly string[];
  /** Of these, those that are not mounted now. */
  readonly missingMounts: readonly string[];
  /** Read-only now and not so by fstab, as the kernel does after disk errors. */
  readonly readOnlyMounts: readonly string[];
  /** What of `dpkg --audit` is half done; empty when all is well. */
  readonly audit: string;
  /** Processes that hold a lock of apt or dpkg. */
  readonly aptLocks: readonly AptLock[];
  /** Lines of the kernel in this boot that name a disk with errors; null where its log cannot be read. */
  readonly diskErrors: readonly DiskError[] | null;
  /** What can keep it from coming back. */
  readonly atBoot?: AtBoot;
  /** Local file systems. */
  readonly space: ReadonlyArray<{
    readonly target: string;
    readonly availableBytes: number;
    readonly totalBytes: number;
  }>;
}

export interface DiskError {
  /** As the kernel calls it: `sdb1`, `dm-1`. */
  readonly device: string;
  /** Its file system is damaged, not only one request to the disk. */
  readonly ofFileSystem: boolean;
  readonly line: string;
}

/** The parts of a script that a look for symptoms has. */
export const SYMPTOM_PARTS = `${LOCKS}
disks() {
  log=$(journalctl -k -b -q --no-pager -o cat -p err) || return 1
  printf '%s\\n' "$log" | grep -E 'EXT4-fs|XFS|BTRFS|I/O error|medium error|target error' | tail -n 40
}
part audit dpkg --audit
part locks locks
part failed systemctl list-units --failed --plain --no-legend
part mounts findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS
part fstab cat /etc/fstab
part space df -B1 -l --output=avail,size,target
part disks disks
${AT_BOOT_PARTS}`;

/** Of a part that failed nothing is said: no findmnt does not mean that nothing is mounted. */
export function symptomsIn(parts: ReturnType<typeof readParts>): Symptoms {
  const text = (name: string): string => {
    const part = parts.get(name);
    return part?.code === 0 ? part.text : '';
  };
  const mounts = readMounts(text('mounts'), ['target', 'source', 'fstype', 'options']);
  const fstab = readFstab(text('fstab'));
  const mounted = new Set(mounts.map(({ target }) => target));
  const meantSo = new Set(fstab.filter(({ readOnly }) => readOnly).map(({ target }) => target));
  return {
    failedUnits: firstWords(text('failed')),
    mounts: mounts.map(({ target, source, fstype }) => ({ target, source, fstype })),
    fstab: fstab.map(({ target }) => target),
    missingMounts:
      mounts.length === 0 ? [] : fstab.flatMap(({ target }) => (mounted.has(target) ? [] : [target])),
    readOnlyMounts: mounts.flatMap(({ target, fstype, options }) =>
      WRITABLE.test(fstype) && options.split(',').includes('ro') && !meantSo.has(target) ? [target] : [],
    ),
    // Its exit status means nothing.
    audit: brokenIn(parts.get('audit')?.text ?? ''),
    aptLocks: readLocks(text('locks')),
    atBoot: readAtBoot(text),
    diskErrors: parts.get('disks')?.code === 0 ? lines(text('disks')).flatMap(diskErrorIn) : null,
    space: lines(text('space')).flatMap((line) => {
      const [, available, total, target] = /^\s*(\d+)\s+(\d+)\s+(\/.*)$/.exec(line) ?? [];
      return target === undefined
        ? []
        : [{ target, availableBytes: Number(available), totalBytes: Number(total) }];
    }),
  };
}

/** File systems that are mounted to be written: no image, nothing of the kernel's own. */
const WRITABLE = /^(ext[234]|xfs|btrfs|zfs|f2fs|jfs|vfat|nfs4?|cifs|fuse\..*|ceph)$/;

const FILE_SYSTEM = [
  /EXT4-fs error \(device ([\w-]+)\)/,
  /EXT4-fs \(([\w-]+)\): .*(?:read-only|abort|corrupt)/i,
  /XFS \(([\w-]+)\): .*(?:corrupt|i\/o error|shut(?:ting)? ?down)/i,
  /BTRFS (?:error|critical)[^(]*\(device ([\w-]+)/i,
];
const REQUEST = /(?:I\/O|medium|target) error,? (?:on )?dev(?:ice)? ([\w-]+)/i;
/** Drives without a medium, and images. */
const NO_DISK = /^(sr|fd|loop|nbd)\d/;

/** @see `I/O error, dev sdb, sector 2048 op 0x0:(READ)`, `EXT4-fs error (device sdb1): ext4_find_entry:1683: …` */
function diskErrorIn(line: string): DiskError[] {
  const damaged = FILE_SYSTEM.flatMap((pattern) => pattern.exec(line)?.[1] ?? []).at(0);
  const device = damaged ?? REQUEST.exec(line)?.[1];
  if (device === undefined || NO_DISK.test(device)) return [];
  return [{ device, ofFileSystem: damaged !== undefined, line: line.trim() }];
}
