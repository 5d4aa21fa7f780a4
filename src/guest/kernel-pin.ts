import { lines } from './exec.js';

/** A kernel that an administrator has pinned, and the file that says so. */
export interface Pin {
  readonly kernel: string;
  readonly file: string;
}

const FILES = [
  '/etc/kernel/next-boot-pin',
  '/etc/kernel/proxmox-boot-pin',
  '/etc/default/grub.d/proxmox-kernel-pin.cfg',
];

/** Shell that prints each pin: the file, and what it holds on the same line. Of `proxmox-boot-tool kernel pin`. */
export const PINS = `pins() {
  for file in ${FILES.join(' ')}; do
    [ ! -s "$file" ] || printf '%s %s\\n' "$file" "$(head -c 400 "$file" | tr '\\n' ' ')"
  done
}`;

/** The pin of the next boot before the lasting one; null where none can be read. */
export function readPin(text: string): Pin | null {
  for (const line of lines(text)) {
    const [file = ''] = line.split(' ', 1);
    const said = line.slice(file.length).trim();
    const kernel = /gnulinux-(\d\S*?)-advanced/.exec(said)?.[1] ?? /^\d\S*/.exec(said)?.[0];
    if (kernel !== undefined) return { kernel, file };
  }
  return null;
}
