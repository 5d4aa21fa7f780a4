import { execFileSync } from 'node:child_process';
import { lstatSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Locked {
  readonly dev?: boolean;
  readonly optional?: boolean;
}

export const installed = {
  name: 'size of what a user installs',
  target: 'small: at most 35 packages and 15 MB beside pbs-ctl itself',
  how: 'Packages that package-lock.json names without "dev", the size of their files as installed here, and what `npm pack` packs, unpacked. No registry is asked.',
  async measure() {
    const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8')) as {
      packages: Record<string, Locked>;
    };
    const sizes = Object.entries(packages)
      .filter(([path, { dev }]) => path !== '' && dev !== true)
      .map(([path]) => [path.replace(/^.*node_modules\//, ''), sizeOf(path)] as const)
      .sort((one, other) => other[1] - one[1]);
    const [{ unpackedSize }] = JSON.parse(
      execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    ) as [{ unpackedSize: number }];
    const mb = (bytes: number) => bytes / 1_000_000;
    const total = mb(sizes.reduce((sum, [, bytes]) => sum + bytes, 0));
    return {
      packages: sizes.length,
      mb: total,
      ownMb: mb(unpackedSize),
      largest: Object.fromEntries(sizes.slice(0, 5).map(([name, bytes]) => [name, mb(bytes)])),
      met: sizes.length <= 35 && total <= 15,
    };
  },
};

/** Bytes of all files in a folder; those of packages within it are counted with these. */
function sizeOf(path: string): number {
  return readdirSync(path, { withFileTypes: true }).reduce((sum, entry) => {
    const each = join(path, entry.name);
    if (entry.name === 'node_modules') return sum;
    return sum + (entry.isDirectory() ? sizeOf(each) : lstatSync(each).size);
  }, 0);
}
