import { type Guest, lines, runReading, sh } from './exec.js';

/** A process that holds a lock of apt or dpkg; its name is null where it is not known. */
export interface AptLock {
  readonly file: string;
  readonly pid: number;
  readonly process: string | null;
}

/** A function in sh. A lock of apt is a POSIX lock: it shows in /proc/locks under the inode of its file. */
export const LOCKS = `locks() {
  for file in /var/lib/dpkg/lock-frontend /var/lib/dpkg/lock /var/lib/apt/lists/lock /var/cache/apt/archives/lock; do
    inode=$(stat -c %i "$file" 2>/dev/null) || continue
    while read -r _ kind _ _ pid where _; do
      case "$kind $where" in *' '*:"$inode") echo "$file $pid $(cat "/proc/$pid/comm" 2>/dev/null)" ;; esac
    done </proc/locks
  done
}`;

/** Lines of the function `locks`. */
export const readLocks = (text: string): AptLock[] =>
  lines(text).map((line) => {
    const [file = '', pid = '', ...name] = line.split(' ');
    return { file, pid: Number(pid), process: programOf(name.join(' ')) };
  });

/** The kernel keeps 15 letters of a name. */
const programOf = (comm: string): string | null =>
  comm === '' ? null : comm === 'unattended-upgr' ? 'unattended-upgrades' : comm;

/** Who holds one now. @throws Fault `agent.*` */
export async function aptLocks(guest: Guest): Promise<AptLock[]> {
  return readLocks((await runReading(guest, sh(`${LOCKS}\nlocks`), 30_000)).stdout);
}
