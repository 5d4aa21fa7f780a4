import type { PackageChanges } from '../guest/apt.js';
import { kernelOf } from '../guest/kernels.js';
import { ESP_FOLDERS, type Space } from '../guest/space.js';

/** A file system that an upgrade writes to. Bytes. */
export interface Room {
  readonly target: string;
  readonly available: number;
  readonly needed: number;
}

const MIB = 1024 ** 2;
/** dpkg and apt write their databases anew, beside the old ones. */
const DATABASES = 64 * MIB;
/** dpkg has the old and the new files of a package for a moment. */
const UNPACKING = 64 * MIB;
/** Where there is none yet to take as a measure. */
const A_KERNEL = 128 * MIB;
const A_BOOT_LOADER = 8 * MIB;
/** What packages unpack to, as a multiple of what is downloaded, where apt does not say. */
const UNPACKED = 4;

/**
 * What a plan needs on each file system, and what is there. Nothing is needed by a plan that installs nothing but
 * what the policy wants free on the root file system.
 */
export function roomFor(
  plan: Pick<PackageChanges, 'upgraded' | 'installed'>,
  space: Space,
  minRootFree: number,
): Room[] {
  const names = [...plan.upgraded, ...plan.installed].map(({ name }) => name);
  const kernels = new Set(names.flatMap((name) => kernelOf(name) ?? [])).size;
  const kernel = kernels * (space.kernel || A_KERNEL);
  const esp = space.kernelsOnEsp ? kernel : A_BOOT_LOADER;
  const writes: ReadonlyArray<readonly [folder: string, bytes: number]> =
    names.length === 0
      ? []
      : [
          ['/var/cache/apt/archives', space.download],
          ['/var/lib/dpkg', DATABASES],
          ['/usr', Math.max(0, space.growth ?? space.download * UNPACKED) + UNPACKING],
          ...(kernels > 0 ? ([['/boot', kernel]] as const) : []),
          ...(kernels > 0 ? ESP_FOLDERS.map((folder) => [folder, esp] as const) : []),
        ];
  const on = new Map<string, Room>();
  const add = (folder: string, bytes: number) => {
    const place = space.places.find((each) => each.folder === folder);
    // A folder below which nothing is mounted has its bytes where its parent has them.
    const target = place?.target ?? '/';
    const isEsp = ESP_FOLDERS.some((each) => each === folder);
    if (isEsp && target !== folder) return;
    const available = place?.available ?? space.places.find((each) => each.folder === '/')?.available;
    if (available === undefined) return;
    const before = on.get(target)?.needed ?? 0;
    on.set(target, { target, available, needed: before + bytes });
  };
  for (const [folder, bytes] of writes) add(folder, bytes);
  const root = on.get('/');
  if (root) on.set('/', { ...root, needed: Math.max(root.needed, minRootFree) });
  return [...on.values()].sort((one, other) => one.target.localeCompare(other.target));
}
