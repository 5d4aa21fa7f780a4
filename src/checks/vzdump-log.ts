/** What a vzdump was told to do, as its log repeats it. */
export interface VzdumpCommand {
  /** Null where it goes to the default of its node, or to a folder. */
  readonly storage: string | null;
  /** Guests named; empty for a pool or for all. */
  readonly vmids: readonly number[];
  readonly excluded: readonly number[];
}

const HEADLINE = /starting new backup job: vzdump(?:\s+(.*))?$/;
/** Words as a shell splits them: a quoted text, such as a template for notes, is no option. */
const WORD = /(?:[^\s'"\\]|\\.|'[^']*'|"(?:[^"\\]|\\.)*")+/g;

/**
 * The command in the first lines of a vzdump's log; null where it is not there (the task still waits for
 * the lock of its node) or names several storages.
 * @see `INFO: starting new backup job: vzdump 100 101 --storage pbs1 --mode snapshot`
 */
export function readVzdump(lines: readonly string[]): VzdumpCommand | null {
  const headline = lines.flatMap((line) => HEADLINE.exec(line) ?? []).at(1);
  if (headline === undefined) return null;
  const words = headline.match(WORD) ?? [];
  const firstOption = words.findIndex((word) => word.startsWith('--'));
  const named = firstOption === -1 ? words : words.slice(0, firstOption);
  const valuesOf = (option: string) =>
    words.flatMap((word, index) => {
      if (word === `--${option}`) return words[index + 1] ?? [];
      return word.startsWith(`--${option}=`) ? word.slice(option.length + 3) : [];
    });
  const storages = valuesOf('storage');
  if (storages.length > 1) return null;
  return { storage: storages[0] ?? null, vmids: ids(named), excluded: ids(valuesOf('exclude')) };
}

/** Does it back up this guest? One that names no guest takes those of its own node. */
export function includesGuest(
  { vmids, excluded }: VzdumpCommand,
  node: string,
  guest: { readonly vmid: number; readonly node: string },
): boolean {
  if (vmids.length > 0) return vmids.includes(guest.vmid);
  return node === guest.node && !excluded.includes(guest.vmid);
}

const ids = (words: readonly string[]) =>
  words
    .flatMap((word) => word.replace(/['"]/g, '').split(/[,;]/))
    .filter((id) => /^\d+$/.test(id))
    .map(Number);
