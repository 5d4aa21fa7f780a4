import { readFileSync } from 'node:fs';

/** A process, told from an earlier or later one of the same number by when it was started. */
export interface ProcessId {
  readonly pid: number;
  /** Empty where the system does not tell. */
  readonly birth: string;
}

export interface Processes {
  readonly self: ProcessId;
  lives(process: ProcessId): boolean;
  /** A moment's wait, of no fixed length. */
  pause(): void;
}

export const realProcesses: Processes = {
  get self() {
    return { pid: process.pid, birth: birthOf(process.pid) };
  },
  lives({ pid, birth }) {
    if (!isThere(pid)) return false;
    const now = birthOf(pid);
    return birth === '' || now === '' || birth === now;
  },
  pause: () => void Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5 + Math.random() * 45),
};

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Which boot of the machine, and how long after it the process was started. @see proc_pid_stat(5), field 22 */
function birthOf(pid: number): string {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The second field is a name in brackets, in which anything may stand.
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
    return `${ticks}@${readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()}`;
  } catch {
    return '';
  }
}
