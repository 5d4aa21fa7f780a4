import { existsSync } from 'node:fs';

/** What the guest is built and run with, and the Debian package that has it. */
const NEEDED = [
  ['/usr/bin/qemu-system-x86_64', 'qemu-system-x86'],
  ['/usr/bin/qemu-img', 'qemu-utils'],
  ['/usr/share/seabios/bios-256k.bin', 'seabios'],
  ['/usr/sbin/debootstrap', 'debootstrap'],
  ['/usr/bin/apt-ftparchive', 'apt-utils'],
  ['/bin/busybox', 'busybox-static'],
  ['/sbin/mke2fs', 'e2fsprogs'],
  ['/usr/bin/cpio', 'cpio'],
  ['/usr/bin/xz', 'xz-utils'],
] as const;

/** @throws Error that says what is missing and how to get it */
export function requireTools(): void {
  if (process.getuid?.() !== 0)
    throw new Error('The real guest is built with debootstrap, which needs root. Run it as root.');
  if (!existsSync('/etc/debian_version'))
    throw new Error('The real guest is built from Debian packages and with them; this is not a Debian.');
  const missing = NEEDED.filter(([file]) => !existsSync(file)).map(([, name]) => name);
  if (missing.length > 0)
    throw new Error(
      `The real guest needs Debian packages that are missing here: ${missing.join(', ')}. Install them:\n  apt-get update && apt-get install --no-install-recommends ${missing.join(' ')}`,
    );
}
