import { lines } from './exec.js';

/**
 * Shell that prints when the package lists were last written or looked for, in epoch seconds. The time of change: apt
 * gives its lists the time that the mirror has for them. Where all of them were the newest already, only the folder
 * for what is half fetched has changed.
 */
export const LISTS = `lists() {
  for file in /var/lib/apt/lists/*_*Release /var/lib/apt/lists/*_Packages*; do
    [ ! -f "$file" ] || stat -c %Z "$file" /var/lib/apt/lists/partial 2>/dev/null
  done | sort -n | tail -n 1
}`;

/** Null where there are none: then nothing is known of any update. */
export function readListsAt(text: string): number | null {
  const [at] = lines(text).map(Number);
  return at !== undefined && Number.isFinite(at) ? at : null;
}
