/** What was backed up, as far as a client is told of it. */
export interface SimulatedGroup {
  /** '' = the root namespace. */
  readonly ns: string;
  readonly type: 'vm' | 'ct' | 'host';
  readonly id: string;
  /** Null: its owner file is missing or unreadable, and it is left out of lists without a word. */
  owner: string | null;
  snapshots: SimulatedSnapshot[];
}

export interface SimulatedSnapshot {
  /** Epoch seconds. */
  readonly time: number;
  /** What is in its files, by name. Its manifest lists them, unless one is given here. */
  readonly files: Readonly<Record<string, string>>;
  /** It is still being written, or its backup was cut off: there is no manifest. */
  readonly unfinished?: boolean;
  /** Its manifest cannot be read any more. */
  damaged?: boolean;
  /** A file in which a bit has changed on disk. */
  flipped?: string;
  /** How the last verification of it ended. */
  verified?: 'ok' | 'failed';
}

/** A group with so many snapshots, one a day, the last a day ago. */
export function nightly(
  { type, id, ns = '' }: Pick<SimulatedGroup, 'type' | 'id'> & { readonly ns?: string },
  { now, count }: { readonly now: number; readonly count: number },
): SimulatedGroup {
  const config = type === 'ct' ? 'pct.conf.blob' : 'qemu-server.conf.blob';
  return {
    ...{ ns, type, id, owner: 'pve@pbs!cluster1' },
    snapshots: Array.from({ length: count }, (_, day) => ({
      time: now - (count - day) * 86_400,
      files: { [config]: `name: ${type}${id}\n` },
    })),
  };
}

/** Every namespace with those above it. */
export const namespacesOf = (groups: readonly SimulatedGroup[]): string[] => [
  ...new Set([
    '',
    ...groups.flatMap(({ ns }) => {
      const parts = ns.split('/').filter(Boolean);
      return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
    }),
  ]),
];
