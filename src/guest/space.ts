import { lines } from './exec.js';

/** What an upgrade needs to know of the file systems that it writes to. Bytes. */
export interface Space {
  /** Folders that it writes to, with the mount point of the file system that each lies on, and what is free there. */
  readonly places: ReadonlyArray<{
    readonly folder: string;
    readonly target: string;
    readonly available: number;
  }>;
  /** The largest kernel in /boot with its initrd; 0 where there is none. */
  readonly kernel: number;
  /** The mounted EFI system partition holds kernels. */
  readonly kernelsOnEsp: boolean;
  /** EFI system partitions that are not mounted, so that nothing is known of them: mount points, or devices. */
  readonly unmountedEsps: readonly string[];
  /** What the upgrade downloads. */
  readonly download: number;
  /** What it adds to what is installed; null where apt does not say. */
  readonly growth: number | null;
}

/** Where an EFI system partition is mounted. */
export const ESP_FOLDERS = ['/boot/efi', '/efi'] as const;

/**
 * Functions in sh. A path is asked for, never the list of all mounts: a dead NFS server would hold up the answer.
 * `proxmox-boot-tool` keeps its partitions unmounted, and names them in a file.
 */
export const SPACE = `free() {
  for folder in / /boot ${ESP_FOLDERS.join(' ')} /usr /var/lib/dpkg /var/cache/apt/archives; do
    [ ! -d "$folder" ] || df -B1 --output=avail,target "$folder" 2>/dev/null | sed -n "2s|^|$folder |p"
  done
}
kernels() {
  for image in /boot/vmlinuz-*; do
    [ ! -f "$image" ] || stat -Lc '%s %n' "$image" "/boot/initrd.img-\${image##*/vmlinuz-}" 2>/dev/null
  done
  for image in /boot/efi/EFI/proxmox/*/vmlinuz* /efi/EFI/proxmox/*/vmlinuz* /boot/efi/*/*/linux /efi/*/*/linux; do [ ! -f "$image" ] || echo "esp $image"; done
  sed -n 's/^[0-9A-Fa-f-]*$/uuid &/p' /etc/kernel/proxmox-boot-uuids 2>/dev/null
  true
}`;

/**
 * @param free of the function `free`
 * @param kernels of the function `kernels`
 * @param uris of `apt-get --print-uris dist-upgrade`
 * @param mounted mount points
 * @param fstab the file
 */
export function readSpace(
  free: string,
  kernels: string,
  uris: string,
  mounted: ReadonlySet<string>,
  fstab: string,
): Space {
  const places = lines(free).flatMap((line) => {
    const [folder = '', available = '', target = ''] = line.trim().split(/\s+/);
    return /^\d+$/.test(available) && target !== '' ? [{ folder, target, available: Number(available) }] : [];
  });
  const sizes = new Map<string, number>();
  for (const [, size = '', release = ''] of kernels.matchAll(/^(\d+) \S*\/(?:vmlinuz|initrd\.img)-(\S+)$/gm))
    sizes.set(release, (sizes.get(release) ?? 0) + Number(size));
  const uuids = [...kernels.matchAll(/^uuid (\S+)$/gm)].map(([, uuid = '']) => `/dev/disk/by-uuid/${uuid}`);
  const wanted = ESP_FOLDERS.filter((folder) =>
    new RegExp(`^[^#\\s]\\S*\\s+${folder}/?\\s`, 'm').test(fstab),
  );
  return {
    places,
    kernel: Math.max(0, ...sizes.values()),
    kernelsOnEsp: /^esp /m.test(kernels),
    unmountedEsps: [...wanted.filter((folder) => !mounted.has(folder)), ...uuids],
    download: [...uris.matchAll(/^'\S+' \S+ (\d+)/gm)].reduce((sum, [, size]) => sum + Number(size), 0),
    growth: growthIn(uris),
  };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, k: 1e3, M: 1e6, G: 1e9, T: 1e12 };

/** In the words of apt 2, and of apt 3 in its own format. */
function growthIn(text: string): number | null {
  const found =
    /^After this operation, ([\d.,]+) ?([kMGT]?)B (?:of additional disk space will be (used)|disk space will be freed)/m.exec(
      text,
    ) ?? /^\s*(?:Space needed|Freed space): ([\d.,]+) ?([kMGT]?)B/m.exec(text);
  if (!found) return null;
  const bytes = Number(found[1]?.replaceAll(',', '')) * (UNITS[found[2] ?? ''] ?? 1);
  return found[0].includes('reed') ? -bytes : bytes;
}
