// Where file systems are mounted, and where fstab wants them.

export interface Mount {
  readonly target: string;
  readonly source: string;
}

/** Lines of `findmnt -rn -o COLUMNS`. */
export function readMounts<Column extends string>(
  text: string,
  columns: readonly Column[],
): Array<Record<Column, string>> {
  return text
    .split('\n')
    .filter((line) => line.trim() !== '')
    .map((line) => {
      const values = line.split(' ').map(unescapeMount);
      return Object.fromEntries(columns.map((column, index) => [column, values[index] ?? ''])) as Record<
        Column,
        string
      >;
    });
}

/** What fstab mounts at boot: no swap, nothing mounted by hand or on demand. */
export function readFstab(text: string): Array<{ target: string; readOnly: boolean; mayBeMissing: boolean }> {
  return text.split('\n').flatMap((line) => {
    const [source = '', target = '', , options = ''] = line.trim().split(/\s+/);
    const chosen = options.split(',');
    const waits = chosen.includes('noauto') || chosen.includes('x-systemd.automount');
    return source.startsWith('#') || !target.startsWith('/') || waits
      ? []
      : [
          {
            target: plain(unescapeMount(target)),
            readOnly: chosen.includes('ro'),
            mayBeMissing: chosen.includes('nofail'),
          },
        ];
  });
}

/** The mount that a path is on: the longest mount point above it. */
export function mountOf(path: string, mounts: readonly Mount[]): Mount {
  const parents = mounts.filter(({ target }) => isWithin(path, target));
  const nearest = parents.reduce<Mount | null>(
    (best, each) => (!best || each.target.length >= best.target.length ? each : best),
    null,
  );
  return { target: nearest?.target ?? '/', source: nearest?.source ?? '' };
}

/** The mount point of fstab that a path should be on but is not; null if it is. */
export function missingMount(
  path: string,
  { mounts, fstab }: { readonly mounts: readonly Mount[]; readonly fstab: readonly string[] },
): string | null {
  const { target } = mountOf(path, mounts);
  return fstab.find((wanted) => isWithin(path, wanted) && wanted.length > target.length) ?? null;
}

const isWithin = (path: string, target: string): boolean =>
  target === '/' || plain(path) === target || plain(path).startsWith(`${target}/`);

/** A path as the kernel has it: a slash more, between its parts or at its end, is the same folder. */
const plain = (path: string): string => path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');

/** findmnt and fstab write blanks as \\x20 or \\040, and perhaps every byte of a letter beyond ASCII. */
const unescapeMount = (text: string): string =>
  text.replace(/(?:\\x[0-9a-f]{2}|\\[0-7]{3})+/gi, (run) => {
    const codes = run.match(/\\x..|\\.../gi) ?? [];
    const byte = (code: string) =>
      code[1] === 'x' ? Number.parseInt(code.slice(2), 16) : Number.parseInt(code.slice(1), 8);
    return Buffer.from(codes.map(byte)).toString('utf8');
  });
