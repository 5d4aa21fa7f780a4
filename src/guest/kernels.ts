/**
 * The package of a kernel image, of Proxmox or of Debian: `proxmox-kernel-6.17.4-1-pve-signed`,
 * `linux-image-6.12.57+deb13-amd64`. Meta packages name no whole version, debug symbols boot nothing.
 */
const KERNEL =
  /^(?:(?:proxmox|pve)-kernel|linux-image)-(\d+\.\d+\.\d+[\w.+~-]*?)(?:-(?:un)?signed)?(?::[a-z0-9]+)?$/;

/** Its release, as in `uname -r`; null for any other package. */
export function kernelOf(name: string): string | null {
  const release = KERNEL.exec(name)?.[1] ?? null;
  return release === null || /-dbg(sym)?$/.test(release) ? null : release;
}

/** Releases of the installed kernel images, as in `uname -r`, newest last. */
export function installedKernels(packages: Iterable<string>): string[] {
  const releases = [...packages].flatMap((name) => kernelOf(name) ?? []);
  return [...new Set(releases)].sort(compareKernels);
}

/** By the numbers of `X.Y.Z-N-pve` and `X.Y.Z+deb13-amd64`. */
export function compareKernels(a: string, b: string): number {
  const numbers = (release: string) =>
    (/^(\d+)\.(\d+)\.(\d+)(?:-(\d+))?/.exec(release) ?? []).slice(1).map((each) => Number(each ?? 0));
  const [left, right] = [numbers(a), numbers(b)];
  for (let index = 0; index < 4; index += 1) {
    const difference = (left[index] ?? 0) - (right[index] ?? 0);
    if (difference !== 0) return difference;
  }
  return a.localeCompare(b, 'en', { numeric: true });
}
